#include "server/storage/log.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "tests/storage/script.h"

namespace storage::test {
namespace {

using sim::SimFileSystem;

TEST_CASE("a new log remembers nothing") {
  SimFileSystem disk(1);
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(words(opened->recovered) == words({}));
  CHECK(opened->recovered.applied == zab::Zxid{});
  CHECK(opened->report == "/data/log: a new log");
  CHECK(disk.durable_contents(path_of(1)).has_value());
}

TEST_CASE("a log gives back what was committed") {
  SimFileSystem disk(1);
  const std::vector<Step> steps = whole_life();
  REQUIRE(carry_out(disk, steps) == steps.size());
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(words(opened->recovered) == steps.back().after);
  const auto& history = opened->recovered.history;
  CHECK(history.after({{1}, 1})->payload->starts_with("payload 2 "));
  CHECK(opened->report ==
        "/data/log: segments 9, commits 26; last txn 4:8, current epoch 4, accepted epoch 4 of "
        "server 1");
}

TEST_CASE("another cluster than the founded one is not founded yet") {
  SimFileSystem disk(1);
  Life life;
  life.accept(1, 1);
  life.adopt(1);
  life.found();
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    REQUIRE(error_of(commit(opened->log, life)) == "");
    life.accept(2, 1);
    life.adopt(2);
    REQUIRE(error_of(commit(opened->log, life)) == "");
  }
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    CHECK(opened->recovered.cluster == cluster);
    CHECK(opened->recovered.founded);
    const std::vector<zab::Persist> other{zab::AdoptHistory{{2}, {7, 7}, {}, false, {}}};
    opened->log.stage(other);
    REQUIRE(error_of(opened->log.commit()) == "");
  }
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(opened->recovered.cluster == zab::ClusterId{7, 7});
  CHECK_FALSE(opened->recovered.founded);
}

TEST_CASE("what is only staged is nothing") {
  SimFileSystem disk(1);
  Life life;
  life.accept(1, 1);
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    CHECK(opened->log.staged_bytes() == 0);
    opened->log.stage(life.take());
    CHECK(opened->log.staged_bytes() == record_bytes(8));
  }
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(words(opened->recovered) == words({}));
}

TEST_CASE("a commit is one sync, however much was staged, few writes, and nothing for nothing") {
  SimFileSystem disk(1);
  auto opened = open(disk, LogOptions{});
  REQUIRE(error_of(opened) == "");
  Life life;
  life.accept(1, 1);
  life.adopt(1);
  struct Row {
    std::size_t txns;
    std::uint64_t writes;  // of a large one, up to each multiple of 512 KiB in the file
  };
  for (const Row& row : {Row{1, 1}, Row{100, 1}, Row{400, 1}, Row{500, 1}, Row{1000, 3}}) {
    CAPTURE(row.txns);
    life.append(row.txns, 900);
    opened->log.stage(life.take());
    const std::uint64_t before = disk.operations();
    REQUIRE(error_of(opened->log.commit()) == "");
    CHECK(disk.operations() == before + row.writes + 2);  // a sync, and the extent
    REQUIRE(error_of(opened->log.commit()) == "");
    CHECK(disk.operations() == before + row.writes + 2);  // a sync, and the extent
    REQUIRE(error_of(opened->log.prepare()) == "");
  }
}

TEST_CASE("after prepare, commits change no file's length") {
  SimFileSystem disk(1);
  auto opened = open(disk, LogOptions{.segment_bytes = 1 << 20, .fill_bytes = 64 << 10});
  REQUIRE(error_of(opened) == "");
  Life life;
  life.accept(1, 1);
  life.adopt(1);
  std::size_t prepared = 0;
  for (int i = 0; i < 2000; ++i) {
    life.append(1, 1000);
    opened->log.stage(life.take());
    const std::string file = disk.paths().back();
    const std::size_t length = disk.contents(file).size();
    const std::uint64_t before = disk.operations();
    REQUIRE(error_of(opened->log.commit()) == "");
    REQUIRE(disk.operations() == before + 3);
    REQUIRE(disk.paths().back() == file);
    REQUIRE(disk.contents(file).size() == length);
    REQUIRE(error_of(opened->log.prepare()) == "");
    prepared += disk.operations() > before + 3 ? 1 : 0;
  }
  // Rarely has it anything to do.
  CHECK(prepared < 100);
  CHECK(disk.paths().size() == 4);  // the extent is one
}

TEST_CASE("a segment that is smaller than what is filled ahead is used all the same") {
  SimFileSystem disk(1);
  auto opened = open(disk, LogOptions{.segment_bytes = 64 << 10, .fill_bytes = 1 << 20});
  REQUIRE(error_of(opened) == "");
  Life life;
  life.accept(1, 1);
  life.adopt(1);
  for (int i = 0; i < 40; ++i) {
    life.append(1, 1000);
    opened->log.stage(life.take());
    REQUIRE(error_of(opened->log.commit()) == "");
    REQUIRE(error_of(opened->log.prepare()) == "");
  }
  CHECK(disk.paths().size() == 2);  // the extent is one
}

TEST_CASE("a commit larger than a segment gets one of its own") {
  SimFileSystem disk(1);
  Life life;
  life.accept(1, 1);
  life.adopt(1, {}, 40, 1000);
  life.append(1, 50'000);
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    opened->log.stage(life.take());
    REQUIRE(error_of(opened->log.commit()) == "");
    life.append(1, 100);
    opened->log.stage(life.take());
    REQUIRE(error_of(opened->log.commit()) == "");
  }
  CHECK(disk.paths().size() == 4);  // the extent is one
  CHECK(disk.contents(path_of(2)).size() > 90'000);
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(words(opened->recovered) == words(life.state()));
}

TEST_CASE("lengths and alignments of every kind") {
  SimFileSystem disk(1);
  Life life;
  life.accept(1, 1);
  life.adopt(1);
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    for (std::size_t bytes = 0; bytes < 300; ++bytes) {
      life.append(1, bytes);
      opened->log.stage(life.take());
      if (bytes % 3 == 0) REQUIRE(error_of(opened->log.commit()) == "");
      if (bytes % 7 == 0) REQUIRE(error_of(opened->log.prepare()) == "");
    }
    REQUIRE(error_of(opened->log.commit()) == "");
  }
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(words(opened->recovered) == words(life.state()));
}

TEST_CASE("a log may be opened with other sizes than it was written with") {
  SimFileSystem disk(1);
  Life life;
  life.accept(1, 1);
  life.adopt(1);
  for (const LogOptions& options :
       {small, LogOptions{}, LogOptions{4200, 16}, small, LogOptions{1, 1}, small}) {
    auto opened = open(disk, options);
    REQUIRE(error_of(opened) == "");
    CHECK(words(opened->recovered) ==
          (life.state().history.size() == 0 ? words({}) : words(life.state())));
    for (int i = 0; i < 3; ++i) {
      life.append(2, 700);
      opened->log.stage(life.take());
      REQUIRE(error_of(opened->log.commit()) == "");
      REQUIRE(error_of(opened->log.prepare()) == "");
    }
  }
}

TEST_CASE("a log that another process has open is not opened") {
  SimFileSystem disk(1);
  auto first = open(disk);
  REQUIRE(error_of(first) == "");
  const auto second = open(disk);
  CHECK(error_of(second) ==
        "/data/log: in use by another process, which holds the lock on /data/log/lock");
  CHECK(second.error().reason == OpenError::Reason::in_use);
  { const Log closing = std::move(first->log); }
  CHECK(error_of(open(disk)) == "");
}

TEST_CASE("a torn tail is reported") {
  SimFileSystem disk(1);
  Life life;
  life.accept(1, 1);
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    opened->log.stage(life.take());
    REQUIRE(error_of(opened->log.commit()) == "");
  }
  std::string contents = disk.contents(path_of(1));
  contents.replace(header_bytes + record_bytes(8), 5, "torn!");
  disk.plant(path_of(1), contents);
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(
      opened->report ==
      "/data/log: segments 1, commits 1; last txn 0:0, current epoch 0, accepted epoch 1 of server "
      "1; dropped a commit that a crash had cut short: 5 bytes at offset 4160 of "
      "log.0000000000000001 (no intact record header at offset 4160)");
}

TEST_CASE("other files in the directory are left alone") {
  SimFileSystem disk(1);
  disk.plant(directory + "/log.1", "ZKLG");
  disk.plant(directory + "/log.000000000000000A", "");
  disk.plant(directory + "/myid", "1");
  disk.plant(directory + "/spare.zip", "mine");
  CHECK(error_of(open(disk)) == "");
  CHECK(disk.contents(directory + "/spare.zip") == "mine");
  CHECK(disk.contents(directory + "/log.1") == "ZKLG");
  CHECK(disk.contents(directory + "/myid") == "1");
}

}  // namespace
}  // namespace storage::test
