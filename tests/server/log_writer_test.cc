#include "server/replication/log_writer.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include "server/storage/files/posix_file_system.h"
#include "server/storage/format/segment_header.h"
#include "tests/server/links_harness.h"
#include "tests/support/temporary_directory.h"

// The log on a thread of its own, in a real directory.
namespace server {
namespace {

const storage::LogOptions small{.segment_bytes = 64 << 10, .fill_bytes = 4 << 10};
constexpr std::chrono::seconds patience{20};

class Harness {
 public:
  Harness() {
    auto opened = storage::Log::open(files_, directory(), {1}, {}, small);
    REQUIRE(opened.has_value());
    writer_.emplace(io_, std::move(opened->log), snapshot_,
                    [this](const wire::Error&) { failed_ = true; });
    writer_->when_unreadable([this] { unreadable_ += 1; });
    write({zab::AcceptEpoch{{1}, {1}}, zab::AdoptHistory{{1}, {}, {}, false, {}}});
  }
  Harness(const Harness&) = delete;
  Harness& operator=(const Harness&) = delete;

  void write(std::vector<zab::Persist> persist) {
    bool done = false;
    writer_->write(std::move(persist), [&] { done = true; });
    wait_for(done);
  }
  zab::Point append() {
    const zab::Txn& txn = history_.append(
        history_.last().zxid == zab::Zxid{} ? zab::Zxid{{1}, 1} : history_.last().zxid.next(),
        std::make_shared<const wire::Bytes>(1000, 'x'));
    write({zab::Append{txn}});
    return history_.last();
  }
  void set_level(wire::Level level) { writer_->set_level(level); }
  // Queues a record that takes long, and `others`, and the change; then waits. Returns the last of
  // the records.
  zab::Point append_then_set_level(int others, wire::Level level) {
    int left = others + 1;
    bool done = false;
    for (int i = 0; i <= others; ++i) {
      const std::size_t size = i == 0 ? std::size_t{8} << 20 : 100;
      const zab::Txn& txn = history_.append(
          history_.last().zxid == zab::Zxid{} ? zab::Zxid{{1}, 1} : history_.last().zxid.next(),
          std::make_shared<const wire::Bytes>(size, 'x'));
      writer_->write({zab::Append{txn}}, [&] { done = --left == 0; });
    }
    writer_->set_level(level);
    wait_for(done);
    return history_.last();
  }
  [[nodiscard]] std::uint64_t last_segment() const {
    std::uint64_t last = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory())) {
      last = std::max(last, storage::sequence_of(entry.path().filename().string()).value_or(0));
    }
    return last;
  }
  [[nodiscard]] storage::SegmentHeader header(std::uint64_t sequence) const {
    std::ifstream file(directory() + '/' + storage::segment_name(sequence), std::ios::binary);
    std::string bytes(storage::header_bytes, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    const auto header = storage::decode_header(bytes);
    REQUIRE(header.has_value());
    return *header;
  }
  LogWriter::Stretch read(zab::Point after) {
    bool done = false;
    LogWriter::Stretch found;
    writer_->read(after, 1 << 20, [&](LogWriter::Stretch answer) {
      found = std::move(answer);
      done = true;
    });
    wait_for(done);
    return found;
  }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] int unreadable() const { return unreadable_; }
  [[nodiscard]] const std::string& directory() const { return temporary_.path(); }
  [[nodiscard]] bool has(const std::string& prefix) const {
    for (const auto& entry : std::filesystem::directory_iterator(directory())) {
      if (entry.path().filename().string().starts_with(prefix)) return true;
    }
    return false;
  }

 private:
  void wait_for(const bool& done) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!done && std::chrono::steady_clock::now() < deadline) {
      io_.run_one_for(std::chrono::milliseconds(100));
      io_.restart();
    }
    REQUIRE(done);
  }

  ::test::TemporaryDirectory temporary_;  // declared first, so it is removed last
  storage::PosixFileSystem files_;
  // No leader sends a snapshot here.
  SharedCheckpoint checkpoint_{temporary_.path() + "/checkpoint"};
  IncomingSnapshot snapshot_{checkpoint_, {1}, "zabkeeper test", {}, [](auto, auto) {}};
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
      boost::asio::make_work_guard(io_);
  std::atomic<bool> failed_ = false;
  int unreadable_ = 0;
  zab::History history_;
  std::optional<LogWriter> writer_;
};

TEST_CASE(
    "a read of a damaged record returns nothing and reports it, and the log can still be written") {
  const links_harness::Log messages;
  Harness log;
  for (int i = 0; i < 20; ++i) log.append();
  REQUIRE(log.read({}).has_value());
  CHECK(log.read({})->txns.size() == 20);
  {
    std::fstream file(log.directory() + "/log.0000000000000001",
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096 + 4000);  // in the fourth
    file.put('y');
    REQUIRE(file.good());
  }
  CHECK(log.unreadable() == 0);
  CHECK_FALSE(log.read({}).has_value());
  CHECK(log.unreadable() == 1);
  CHECK_FALSE(log.read({}).has_value());
  CHECK(log.unreadable() == 2);
  CHECK(messages.count("the log is damaged") == 1);
  // The log can still be written to.
  const zab::Point last = log.append();
  CHECK_FALSE(log.failed());
  CHECK(last.zxid == zab::Zxid{{1}, 21});
}

TEST_CASE("a change of the level applies to what is written after it") {
  Harness log;
  log.append();
  log.set_level(wire::Level{0});
  log.append();
  CHECK(!log.has("log.0000000000000002"));
  log.set_level(wire::Level{1});
  CHECK(!log.has("log.0000000000000002"));
  log.append();
  CHECK(log.has("log.0000000000000002"));
  CHECK_FALSE(log.failed());
  CHECK(log.read({})->txns.size() == 3);
}

TEST_CASE("what was queued before a change of the level is not in a segment of the new level") {
  Harness log;
  log.set_level(wire::Level{3});
  // The writer is busy with the first record while the others are queued.
  const zab::Point last = log.append_then_set_level(20, wire::Level{0});
  log.append();
  CHECK_FALSE(log.failed());
  const std::uint64_t newest = log.last_segment();
  const storage::SegmentHeader header = log.header(newest);
  CHECK(header.written.level == wire::Level{0});
  CHECK(header.start.last.zxid == last.zxid);
  CHECK(log.header(newest - 1).written.level == wire::Level{3});
}

TEST_CASE("spare files are prepared on another thread while the log is written") {
  Harness log;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  bool seen = false;
  while (!seen && std::chrono::steady_clock::now() < deadline) {
    log.append();
    seen = log.has("spare.0");
  }
  CHECK(seen);
  for (int i = 0; i < 100; ++i) log.append();
  CHECK_FALSE(log.failed());
  CHECK(log.read({})->txns.size() > 100);
}

}  // namespace
}  // namespace server
