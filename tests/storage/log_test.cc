#include "server/storage/log.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "tests/storage/script.h"

namespace storage::test {
namespace {

using sim::SimFileSystem;

TEST_CASE("a new log is empty") {
  SimFileSystem disk(1);
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(describe(opened->recovered) == describe({}));
  CHECK(opened->recovered.applied == zab::Zxid{});
  CHECK(opened->report == "/data/log: made a new, empty log");
  CHECK(disk.durable_contents(path_of(1)).has_value());
}

TEST_CASE("a log that is opened again has everything that was committed") {
  SimFileSystem disk(1);
  const std::vector<Step> steps = full_script();
  REQUIRE(run_steps(disk, steps) == steps.size());
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(describe(opened->recovered) == steps.back().after);
  const auto& history = opened->recovered.history;
  CHECK(history.after({{1}, 1})->payload->starts_with("payload 2 "));
  CHECK(opened->report ==
        "/data/log: 9 segments, 26 commits; last txn 4:8, current epoch 4, accepted epoch 4 of "
        "server 1");
}

TEST_CASE("after the history of another cluster is adopted, the cluster is not founded") {
  SimFileSystem disk(1);
  Script script;
  script.accept(1, 1);
  script.adopt(1);
  script.found();
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    REQUIRE(error_of(commit(opened->log, script)) == "");
    script.accept(2, 1);
    script.adopt(2);
    REQUIRE(error_of(commit(opened->log, script)) == "");
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

TEST_CASE("effects that are only staged are not durable") {
  SimFileSystem disk(1);
  Script script;
  script.accept(1, 1);
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    CHECK(opened->log.staged_bytes() == 0);
    opened->log.stage(script.take_effects());
    CHECK(opened->log.staged_bytes() == record_bytes(8));
  }
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(describe(opened->recovered) == describe({}));
}

TEST_CASE("a commit of any size is one sync and few writes, and an empty one does nothing") {
  SimFileSystem disk(1);
  auto opened = open(disk, LogOptions{});
  REQUIRE(error_of(opened) == "");
  Script script;
  script.accept(1, 1);
  script.adopt(1);
  struct Row {
    std::size_t txns;
    std::uint64_t writes;  // a large commit: one up to each multiple of 512 KiB in the file
  };
  for (const Row& row : {Row{1, 1}, Row{100, 1}, Row{400, 1}, Row{500, 1}, Row{1000, 3}}) {
    CAPTURE(row.txns);
    script.append(row.txns, 900);
    opened->log.stage(script.take_effects());
    const std::uint64_t before = disk.operations();
    REQUIRE(error_of(opened->log.commit()) == "");
    CHECK(disk.operations() == before + row.writes + 2);  // a sync, and the extent
    REQUIRE(error_of(opened->log.commit()) == "");
    CHECK(disk.operations() == before + row.writes + 2);  // a sync, and the extent
    REQUIRE(error_of(opened->log.prepare()) == "");
  }
}

TEST_CASE("after prepare, a commit does not change the length of a file") {
  SimFileSystem disk(1);
  auto opened = open(disk, LogOptions{.segment_bytes = 1 << 20, .fill_bytes = 64 << 10});
  REQUIRE(error_of(opened) == "");
  Script script;
  script.accept(1, 1);
  script.adopt(1);
  std::size_t prepared = 0;
  for (int i = 0; i < 2000; ++i) {
    script.append(1, 1000);
    opened->log.stage(script.take_effects());
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
  // Most calls of prepare do nothing.
  CHECK(prepared < 100);
  CHECK(disk.paths().size() == 4);  // with the extent
}

TEST_CASE("a segment can be smaller than the number of bytes to fill ahead") {
  SimFileSystem disk(1);
  auto opened = open(disk, LogOptions{.segment_bytes = 64 << 10, .fill_bytes = 1 << 20});
  REQUIRE(error_of(opened) == "");
  Script script;
  script.accept(1, 1);
  script.adopt(1);
  for (int i = 0; i < 40; ++i) {
    script.append(1, 1000);
    opened->log.stage(script.take_effects());
    REQUIRE(error_of(opened->log.commit()) == "");
    REQUIRE(error_of(opened->log.prepare()) == "");
  }
  CHECK(disk.paths().size() == 2);  // with the extent
}

TEST_CASE("a commit larger than a segment gets one of its own") {
  SimFileSystem disk(1);
  Script script;
  script.accept(1, 1);
  script.adopt(1, {}, 40, 1000);
  script.append(1, 50'000);
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    opened->log.stage(script.take_effects());
    REQUIRE(error_of(opened->log.commit()) == "");
    script.append(1, 100);
    opened->log.stage(script.take_effects());
    REQUIRE(error_of(opened->log.commit()) == "");
  }
  CHECK(disk.paths().size() == 4);  // with the extent
  CHECK(disk.contents(path_of(2)).size() > 90'000);
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(describe(opened->recovered) == describe(script.state()));
}

TEST_CASE("payloads of all lengths and alignments are recovered") {
  SimFileSystem disk(1);
  Script script;
  script.accept(1, 1);
  script.adopt(1);
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    for (std::size_t bytes = 0; bytes < 300; ++bytes) {
      script.append(1, bytes);
      opened->log.stage(script.take_effects());
      if (bytes % 3 == 0) REQUIRE(error_of(opened->log.commit()) == "");
      if (bytes % 7 == 0) REQUIRE(error_of(opened->log.prepare()) == "");
    }
    REQUIRE(error_of(opened->log.commit()) == "");
  }
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(describe(opened->recovered) == describe(script.state()));
}

TEST_CASE("a log can be opened with other sizes than it was written with") {
  SimFileSystem disk(1);
  Script script;
  script.accept(1, 1);
  script.adopt(1);
  for (const LogOptions& options :
       {small, LogOptions{}, LogOptions{4200, 16}, small, LogOptions{1, 1}, small}) {
    auto opened = open(disk, options);
    REQUIRE(error_of(opened) == "");
    CHECK(describe(opened->recovered) ==
          (script.state().history.size() == 0 ? describe({}) : describe(script.state())));
    for (int i = 0; i < 3; ++i) {
      script.append(2, 700);
      opened->log.stage(script.take_effects());
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

TEST_CASE("the report names an incomplete commit that recovery dropped") {
  SimFileSystem disk(1);
  Script script;
  script.accept(1, 1);
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    opened->log.stage(script.take_effects());
    REQUIRE(error_of(opened->log.commit()) == "");
  }
  std::string contents = disk.contents(path_of(1));
  contents.replace(header_bytes + record_bytes(8), 5, "torn!");
  disk.plant(path_of(1), contents);
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(
      opened->report ==
      "/data/log: 1 segments, 1 commits; last txn 0:0, current epoch 0, accepted epoch 1 of server "
      "1; dropped an incomplete commit, interrupted by a crash and never acknowledged: 5 bytes at "
      "offset 4160 of log.0000000000000001 (no intact record header at offset 4160)");
}

TEST_CASE("files in the directory that are not the log's are not changed") {
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
