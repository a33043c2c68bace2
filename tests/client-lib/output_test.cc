#include "tools/shell/output.h"

#include <array>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <string>
#include <thread>
#include <unistd.h>

#include <doctest/doctest.h>

#include "tools/shell/input.h"
#include "tools/shell/print.h"

namespace shell {
namespace {

using Failure = DescriptorBuffer::Failure;

struct Pipe {
  Pipe() { REQUIRE(::pipe(ends.data()) == 0); }
  ~Pipe() {
    close(0);
    close(1);
  }
  void close(std::size_t end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }
  std::array<int, 2> ends{-1, -1};
};

TEST_CASE("a write to a full disk is an error") {
  const int full = ::open("/dev/full", O_WRONLY);
  REQUIRE(full >= 0);
  Output out(full, Failure::throws);
  out << "text";
  CHECK_THROWS_AS(out.flush(), OutputFailed);
  Output large(full, Failure::throws);
  CHECK_THROWS_AS(large << std::string(1 << 20, 'x'), OutputFailed);
  Output ignoring(full, Failure::is_ignored);
  ignoring << std::string(1 << 20, 'x') << std::flush;
  ignoring.finish();  // closes `full`
  Output closed(full, Failure::throws);
  closed << 7;
  CHECK_THROWS_AS(closed.finish(), OutputFailed);
}

TEST_CASE("a pipe whose reader has gone is distinguished from other failures") {
  signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  pipe.close(0);
  Output out(pipe.ends[1], Failure::throws);
  out << "text";
  try {
    out.flush();
    FAIL("no failure");
  } catch (const OutputFailed& failed) {
    CHECK(failed.is_closed_pipe());
  }
}

TEST_CASE("text passes through a slow pipe that does not block, byte for byte") {
  Pipe pipe;
  REQUIRE(::fcntl(pipe.ends[1], F_SETFL, O_NONBLOCK) == 0);
  std::string text;
  for (int i = 0; i < 300'000; ++i) text += static_cast<char>(i % 251);
  std::thread writer([&] {
    Output out(pipe.ends[1], Failure::throws);
    out << text.substr(0, 100'000) << text.substr(100'000);
    out.finish();
    pipe.ends[1] = -1;
  });
  const std::string read = Input(pipe.ends[0]).rest(1 << 20);
  writer.join();
  CHECK(read == text);
}

TEST_CASE("input is read in lines, and an error is distinguished from the end of the input") {
  Pipe pipe;
  const std::string text = "one\n\nlast";
  REQUIRE(::write(pipe.ends[1], text.data(), text.size()) == 9);
  pipe.close(1);
  Input input(pipe.ends[0]);
  CHECK(input.line() == "one");
  CHECK(input.line() == "");
  CHECK(input.line() == "last");
  CHECK(input.line() == std::nullopt);
  const int folder = ::open("/", O_RDONLY);
  CHECK_THROWS_AS((void)Input(folder).line(), InputFailed);
  CHECK_THROWS_AS((void)Input(folder).rest(10), InputFailed);
  ::close(folder);
}

TEST_CASE("a table in several parts keeps its columns") {
  Table table({false, true});
  CHECK(table.text({{"A", "N"}, {"long", "7"}}) == "A     N\nlong  7\n");
  CHECK(table.text({{"b", "10"}}) == "b     10\n");
  CHECK(table.text({{"\xc3\xbc", "1"}}) == "\xc3\xbc      1\n");  // one character
}

}  // namespace
}  // namespace shell
