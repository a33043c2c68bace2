#include "server/logging/line_writer.h"

#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <string>
#include <unistd.h>

#include <doctest/doctest.h>

namespace server {
namespace {

using namespace std::chrono_literals;

// As the process does.
struct NoSigpipe {
  NoSigpipe() { std::signal(SIGPIPE, SIG_IGN); }
} const no_sigpipe;

// A pipe that takes one page.
class Pipe {
 public:
  Pipe() {
    REQUIRE(::pipe2(ends_.data(), O_CLOEXEC) == 0);
    ::fcntl(ends_[1], F_SETPIPE_SZ, 4096);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_reading();
    ::close(ends_[1]);
  }
  [[nodiscard]] int writing() const { return ends_[1]; }
  void close_reading() {
    if (ends_[0] >= 0) ::close(ends_[0]);
    ends_[0] = -1;
  }
  // Waits for bytes until the text ends with `end`.
  std::string read_until(const std::string& end) {
    std::string text;
    std::array<char, 4096> part{};
    while (!text.ends_with(end)) {
      const ssize_t count = ::read(ends_[0], part.data(), part.size());
      REQUIRE(count > 0);
      text.append(part.data(), static_cast<std::size_t>(count));
    }
    return text;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

std::string notice(std::uint64_t lines, const std::string& why) {
  return std::to_string(lines) + " lost: " + why + "\n";
}

const std::string long_line = std::string(99, 'x') + "\n";

TEST_CASE("lines are written in their order") {
  Pipe pipe;
  LineWriter writer(pipe.writing(), {}, notice);
  writer.write("one\n");
  writer.write("two\n");
  CHECK(pipe.read_until("two\n") == "one\ntwo\n");
  CHECK(writer.finish(10s));
  CHECK(writer.dropped() == 0);
  CHECK_FALSE(writer.is_busy());
}

TEST_CASE("with a reader that hangs lines are dropped, and a line in their place says how many") {
  struct Row {
    const char* what;
    LineWriter::Limits limits;
  };
  for (const Row& row : {Row{"bytes", {1000, 1'000'000}}, Row{"lines", {1'000'000, 10}}}) {
    CAPTURE(row.what);
    Pipe pipe;
    LineWriter writer(pipe.writing(), row.limits, notice);
    std::uint64_t sent = 0;
    while (writer.dropped() == 0) {
      writer.write(long_line);
      sent += 1;
    }
    const std::string end = "1 lost: they came faster than they could be written\n";
    const std::string text = pipe.read_until(end);
    CHECK(text.size() == (sent - 1) * long_line.size() + end.size());
    CHECK(writer.dropped() == 1);
    CHECK(writer.finish(10s));
    writer.write("again\n");
    CHECK(pipe.read_until("again\n") == "again\n");
  }
}

TEST_CASE("there is room for the final message of a process when other lines are dropped") {
  Pipe pipe;
  LineWriter writer(pipe.writing(), {1000, 10}, notice);
  while (writer.dropped() == 0) writer.write(long_line);
  writer.write("the end\n", LineWriter::Importance::final_message);
  CHECK(writer.dropped() == 1);
  CHECK(pipe.read_until("written\n").find("the end\n") != std::string::npos);
}

TEST_CASE("lines that cannot be written are counted") {
  Pipe pipe;
  pipe.close_reading();
  LineWriter writer(pipe.writing(), {}, notice);
  writer.write("one\n");
  CHECK(writer.finish(10s));
  CHECK(writer.dropped() == 1);
  writer.write("two\n");
  CHECK(writer.finish(10s));
  CHECK(writer.dropped() == 2);
}

TEST_CASE("lines wait for a pipe that is not ready, if it is non-blocking") {
  Pipe pipe;
  ::fcntl(pipe.writing(), F_SETFL, O_NONBLOCK);
  LineWriter writer(pipe.writing(), {}, notice);
  for (int i = 0; i < 1000; ++i) writer.write(long_line);
  writer.write("end\n");
  CHECK(pipe.read_until("end\n").size() == 1000 * long_line.size() + 4);
  CHECK(writer.dropped() == 0);
}

}  // namespace
}  // namespace server
