#include <algorithm>

#include <doctest/doctest.h>

#include "tests/storage/script.h"

// Old segments are removed once a checkpoint covers them. The rest is still a valid log.
namespace storage::test {
namespace {

using sim::Fault;
using sim::SimFileSystem;

std::size_t segments_of(const SimFileSystem& disk) {
  std::size_t count = 0;
  for (const std::string& path : disk.paths()) {
    if (sequence_of(path.substr(directory.size() + 1))) ++count;
  }
  return count;
}

TEST_CASE("a purge with any checkpoint keeps the history after that checkpoint") {
  const std::vector<Step> steps = full_script();
  const zab::History& history = steps.back().state.history;
  std::size_t fewest = 100;
  for (auto txn = history.after({}); txn != history.end(); ++txn) {
    CAPTURE(wire::to_string(txn->zxid));
    const zab::Point checkpoint = txn->point();
    SimFileSystem disk(1);
    REQUIRE(run_steps(disk, steps) == steps.size());
    const std::size_t all = segments_of(disk);
    zab::Point begin;
    {
      auto opened = open(disk, checkpoint);
      REQUIRE(error_of(opened) == "");
      REQUIRE(error_of(opened->log.purge(checkpoint, 0)) == "");
      begin = opened->log.begin();
      CHECK(begin.zxid <= checkpoint.zxid);
      CHECK(history.contains(begin));
      const auto read = opened->log.read_after(begin, 1 << 20);
      REQUIRE(error_of(read) == "");
      CHECK((*read)->from == begin);
      CHECK((*read)->txns.size() ==
            static_cast<std::size_t>(history.end() - history.after(begin.zxid)));
      if (begin != zab::Point{}) CHECK_FALSE(opened->log.read_after({}, 1)->has_value());
    }
    const std::size_t left = segments_of(disk);
    CHECK(left <= all);
    fewest = std::min(fewest, left);
    disk.power_cycle();
    const auto opened = open(disk, checkpoint);
    REQUIRE(error_of(opened) == "");
    CHECK_FALSE(opened->recovered.damaged.has_value());
    CHECK(opened->recovered.history.last() == history.last());
    CHECK(opened->recovered.history.base() == begin);
    CHECK(opened->recovered.founded);
    CHECK(opened->log.begin() == begin);
    if (left == all) continue;
    // Without the checkpoint, the beginning of the history is missing.
    { const Log closing = std::move(const_cast<Log&>(opened->log)); }
    const auto bare = open(disk);
    REQUIRE(error_of(bare) == "");
    CHECK(bare->recovered.damaged.has_value() == (begin != zab::Point{}));
  }
  CHECK(fewest == 1);
}

TEST_CASE("a purge leaves more than keep_bytes of log") {
  const std::vector<Step> steps = full_script();
  const zab::Point checkpoint = steps.back().state.history.last();
  std::size_t left_before = 0;
  for (const std::uint64_t keep_bytes : {0u, 9'000u, 15'000u, 30'000u, 1u << 20}) {
    CAPTURE(keep_bytes);
    SimFileSystem disk(1);
    REQUIRE(run_steps(disk, steps) == steps.size());
    const std::size_t all = segments_of(disk);
    auto opened = open(disk, checkpoint);
    REQUIRE(error_of(opened) == "");
    REQUIRE(error_of(opened->log.purge(checkpoint, keep_bytes)) == "");
    const std::size_t left = segments_of(disk);
    std::uint64_t bytes = 0;
    for (const std::string& path : disk.paths()) bytes += disk.contents(path).size();
    if (left < all) CHECK(bytes > keep_bytes);
    CHECK(left >= left_before);
    left_before = left;
    if (keep_bytes == 1u << 20) CHECK(left == all);
  }
}

TEST_CASE("a purge may leave only an empty segment") {
  SimFileSystem disk(1);
  Script script;
  script.accept(1, 1);
  script.adopt(1);
  auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  for (std::size_t before = segments_of(disk); segments_of(disk) == before;) {
    script.append(1, 60);
    REQUIRE(error_of(commit(opened->log, script)) == "");
    REQUIRE(error_of(opened->log.prepare()) == "");
  }
  const zab::Point last = script.state().history.last();
  REQUIRE(error_of(opened->log.purge(last, 0)) == "");
  CHECK(segments_of(disk) == 1);
  CHECK(opened->log.begin() == last);
  CHECK((*opened->log.read_after(last, 1))->from == last);
  CHECK_FALSE(opened->log.read_after({}, 1)->has_value());
  script.append(2, 60);
  REQUIRE(error_of(commit(opened->log, script)) == "");
  CHECK((*opened->log.read_after(last, 1000))->txns.size() == 2);
}

TEST_CASE("a purged log can be written to and opened again") {
  SimFileSystem disk(1);
  Script script;
  script.accept(1, 1);
  script.adopt(1);
  for (int round = 0; round < 8; ++round) {
    CAPTURE(round);
    const zab::Point checkpoint = script.state().history.last();
    auto opened = open(disk, checkpoint);
    REQUIRE(error_of(opened) == "");
    CHECK_FALSE(opened->recovered.damaged.has_value());
    CHECK(opened->recovered.history.last() == checkpoint);
    script.append(20, 500);
    REQUIRE(error_of(commit(opened->log, script)) == "");
    REQUIRE(error_of(opened->log.purge(checkpoint, 0)) == "");
    script.append(20, 500);
    REQUIRE(error_of(commit(opened->log, script)) == "");
    const auto read = opened->log.read_after(checkpoint, 1 << 20);
    REQUIRE(error_of(read) == "");
    REQUIRE(read->has_value());
    CHECK((*read)->txns.size() == 40);
    CHECK(segments_of(disk) < 20);
  }
}

TEST_CASE("a loss of power at any operation of a purge loses no history") {
  const std::vector<Step> steps = full_script();
  const zab::History& history = steps.back().state.history;
  const zab::Point checkpoint = history.last();
  for (const Fault fault : {Fault::power, Fault::io_error}) {
    for (std::uint64_t at = 0;; ++at) {
      bool purged = false;
      for (std::uint64_t seed = 0; seed < 8; ++seed) {
        CAPTURE(at);
        CAPTURE(seed);
        SimFileSystem disk(seed);
        REQUIRE(run_steps(disk, steps) == steps.size());
        {
          auto opened = open(disk, checkpoint);
          REQUIRE(error_of(opened) == "");
          disk.fail_at(disk.operations() + at, fault);
          purged = opened->log.purge(checkpoint, 0).has_value();
          disk.heal();
          if (fault == Fault::io_error) {
            // A purge that failed can be repeated, and the log is still valid.
            CHECK(error_of(opened->log.purge(checkpoint, 0)) == "");
            CHECK(error_of(opened->log.mark()) == "");
          }
        }
        disk.power_cycle();
        auto opened = open(disk, checkpoint);
        REQUIRE(error_of(opened) == "");
        CAPTURE(opened->report);
        CHECK_FALSE(opened->recovered.damaged.has_value());
        CHECK_FALSE(mentions(opened->report, "damaged"));
        CHECK(opened->recovered.history.last() == checkpoint);
        CHECK(error_of(opened->log.purge(checkpoint, 0)) == "");
        CHECK(segments_of(disk) == 1);
      }
      if (purged) break;
    }
  }
}

TEST_CASE("void segments are purged like covered ones, but not while the log is damaged") {
  const std::vector<Step> steps = full_script();
  SimFileSystem disk(1);
  REQUIRE(run_steps(disk, steps) == steps.size());
  disk.lose(path_of(4));
  const std::size_t damaged = segments_of(disk);
  zab::Point checkpoint;
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    Script script(opened->recovered);
    script.accept(9, 1);
    REQUIRE(error_of(commit(opened->log, script)) == "");
    REQUIRE(error_of(opened->log.purge(opened->recovered.history.last(), 0)) == "");
    CHECK(segments_of(disk) == damaged + 1);  // nothing is purged while the log is damaged
    script.adopt(9, script.state().history.last().zxid, 3, 100);
    REQUIRE(error_of(commit(opened->log, script)) == "");
    checkpoint = script.state().history.last();
    REQUIRE(error_of(opened->log.purge(checkpoint, 0)) == "");
  }
  CHECK(segments_of(disk) == 1);
  const auto opened = open(disk, checkpoint);
  REQUIRE(error_of(opened) == "");
  CHECK_FALSE(opened->recovered.damaged.has_value());
  CHECK(opened->recovered.history.last() == checkpoint);
  CHECK(opened->recovered.accepted_epoch == zab::Epoch{9});
}

}  // namespace
}  // namespace storage::test
