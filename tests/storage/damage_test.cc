#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "server/storage/recovery/segment_catalog.h"
#include "tests/storage/damaged_log.h"
#include "tests/storage/script.h"

// A damaged log still opens, can be written to, and can be opened again. It stays damaged until it
// adopts a history.
namespace storage::test {
namespace {

using sim::Fault;
using sim::SimFileSystem;

// Checks that no file in `files` has changed, except the extent.
void check_untouched(const SimFileSystem& disk, const Files& files) {
  for (const auto& [path, contents] : files) {
    if (path == extent_path) continue;
    CAPTURE(path);
    CHECK((disk.contents(path) == contents));
  }
}

TEST_CASE("a damaged log stays damaged until it adopts a history") {
  const std::vector<Step> steps = full_script();
  const Files files = files_after(steps);
  for (std::uint64_t sequence = 1; sequence < 9; ++sequence) {
    for (const bool lost : {false, true}) {
      CAPTURE(sequence);
      CAPTURE(lost);
      SimFileSystem disk(sequence);
      plant(disk, files);
      if (lost) {
        disk.lose(path_of(sequence));
      } else {
        flip_bit(disk, sequence);
      }
      const Files damaged = files_of(disk);
      zab::Durable then;
      {
        auto opened = open(disk);
        REQUIRE(error_of(opened) == "");
        REQUIRE(opened->recovered.damaged.has_value());
        CHECK(*opened->recovered.damaged == zab::Claim{{4}, {{4}, 8}});
        CHECK(error_of(opened->log.prepare()) == "");
        CHECK(error_of(opened->log.mark()) == "");
        CHECK(error_of(opened->log.purge(opened->recovered.history.last(), 0)) == "");
        check_untouched(disk, damaged);

        // An accepted epoch does not end the damage.
        Script script(opened->recovered);
        script.accept(7, 2);
        REQUIRE(error_of(commit(opened->log, script)) == "");
        then = script.state();
      }
      {
        auto opened = open(disk);
        REQUIRE(error_of(opened) == "");
        CHECK(describe(opened->recovered) == describe(then));
        CHECK(mentions(opened->report, "does not vote"));
        const zab::Zxid from = opened->recovered.history.last().zxid;
        opened->log.stage(adopt_from_leader(opened->recovered, from, then));
        REQUIRE(error_of(opened->log.commit()) == "");
        const auto all = opened->log.read_after(opened->log.begin(), 1 << 20);
        REQUIRE(error_of(all) == "");
        REQUIRE(all->has_value());
        CHECK((*all)->txns.size() == then.history.size());
      }
      check_untouched(disk, damaged);
      disk.power_cycle();
      const auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      CHECK(describe(opened->recovered) == describe(then));
      CHECK_FALSE(opened->recovered.damaged.has_value());
      CHECK_FALSE(mentions(opened->report, "vote"));
    }
  }
}

TEST_CASE("after damage, a loss of power or an error at any operation loses no commit") {
  const std::vector<Step> steps = full_script();
  const Files files = files_after(steps);
  std::size_t before = 0;
  std::size_t after = 0;
  for (const Fault fault : {Fault::power, Fault::io_error}) {
    for (std::uint64_t at = 0;; ++at) {
      CAPTURE(at);
      SimFileSystem disk(at);
      plant(disk, files);
      flip_bit(disk, 4);
      const Files damaged = files_of(disk);
      std::string as_damaged;
      zab::Durable promised;
      zab::Durable then;
      std::size_t commits = 0;
      {
        auto opened = open(disk);
        REQUIRE(error_of(opened) == "");
        as_damaged = describe(opened->recovered);
        Script script(opened->recovered);
        script.accept(6, 2);
        promised = script.state();
        disk.fail_at(disk.operations() + at, fault);
        if (commit(opened->log, script)) {
          ++commits;
          opened->log.stage(adopt_from_leader(promised, {{1}, 6}, then));
          if (opened->log.commit()) ++commits;
        }
      }
      disk.heal();
      if (fault == Fault::power) {
        disk.power_cycle();
      } else {
        disk.kill();
      }
      check_untouched(disk, damaged);
      const auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      const std::string is = describe(opened->recovered);
      CAPTURE(is);
      CAPTURE(commits);
      if (commits == 0) CHECK((is == as_damaged || is == describe(promised)));
      if (commits == 1) CHECK((is == describe(promised) || is == describe(then)));
      if (commits == 2) CHECK(is == describe(then));
      (opened->recovered.damaged ? before : after) += 1;
      check_untouched(disk, damaged);
      if (commits == 2) break;
    }
  }
  CHECK(before > 5);
  CHECK(after >= 2);
}

TEST_CASE("a mended log that is damaged again is recognized as damaged") {
  const std::vector<Step> steps = full_script();
  SimFileSystem disk(1);
  plant(disk, files_after(steps));
  // Damages the seal: the records before it in that segment still count.
  flip_bit(disk, 4, disk.contents(path_of(4)).find_last_not_of('\0') - 20);
  zab::Durable then;
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    opened->log.stage(adopt_from_leader(opened->recovered, {{1}, 6}, then));
    REQUIRE(error_of(opened->log.commit()) == "");
    Script script(then);
    for (int i = 0; i < 20; ++i) {
      script.append(1, 500);
      REQUIRE(error_of(commit(opened->log, script)) == "");
    }
    then = script.state();
  }
  const std::uint64_t mended = 10;
  REQUIRE(disk.paths().back() >= path_of(mended + 1));
  const Files whole = files_of(disk);
  enum class Where { record, header, file };
  struct Row {
    const char* what;
    std::uint64_t sequence;
    Where where;
    bool harmless;
  };
  for (const Row& row : {
           Row{"the segment that mends", mended, Where::record, false},
           Row{"its header", mended, Where::header, false},
           Row{"its file", mended, Where::file, false},
           Row{"the one after it", mended + 1, Where::record, false},
           Row{"the header of the one after it", mended + 1, Where::header, false},
           Row{"a segment before the damage", 2, Where::record, false},
           Row{"the intact part of the damaged segment", 4, Where::record, false},
           Row{"the header of the damaged segment", 4, Where::header, false},
           Row{"the file of the damaged segment", 4, Where::file, false},
           Row{"a void segment", 7, Where::record, true},
           Row{"the header of a void segment", 8, Where::header, true},
           Row{"the file of a void segment", 5, Where::file, true},
       }) {
    CAPTURE(row.what);
    SimFileSystem twice(1);
    plant(twice, whole);
    if (row.where == Where::record) flip_bit(twice, row.sequence);
    if (row.where == Where::header) flip_bit(twice, row.sequence, 40);
    if (row.where == Where::file) twice.lose(path_of(row.sequence));
    const Files damaged = files_of(twice);
    zab::Durable at_last;
    {
      auto opened = open(twice);
      REQUIRE(error_of(opened) == "");
      CAPTURE(opened->report);
      CHECK(opened->recovered.damaged.has_value() == !row.harmless);
      if (row.harmless) {
        CHECK(describe(opened->recovered) == describe(then));
        continue;
      }
      const zab::Point last = opened->recovered.history.last();
      CHECK(last != then.history.last());
      CHECK((then.history.contains(last) || steps[7].state.history.contains(last)));
      CHECK(*opened->recovered.damaged >= zab::Claim{{5}, {{5}, 21}});
      opened->log.stage(adopt_from_leader(opened->recovered, last.zxid, at_last));
      REQUIRE(error_of(opened->log.commit()) == "");
    }
    check_untouched(twice, damaged);
    const auto opened = open(twice);
    REQUIRE(error_of(opened) == "");
    CHECK(describe(opened->recovered) == describe(at_last));
  }
}

// Without that segment, the segments before it may look like a complete log. They do once a
// checkpoint covers the transactions that they lack.
TEST_CASE("the loss of a segment that mends is damage, even if the rest looks complete") {
  const Files files = files_after(full_script());
  SimFileSystem disk(1);
  plant(disk, files);
  const zab::Point last = open(disk)->recovered.history.last();
  disk.lose(path_of(1));
  std::vector<std::string> written;
  {
    auto opened = open(disk);
    REQUIRE(opened->recovered.damaged.has_value());
    const zab::AcceptEpoch accept{{5}, {3}};
    const zab::AdoptHistory adopt{{5}, {}, last, true, {}};
    opened->log.stage({accept, adopt});
    REQUIRE(error_of(opened->log.commit()) == "");
    for (const auto& [path, contents] : files_of(disk)) {
      if (!files.contains(path)) written.push_back(path);
    }
  }
  const std::string mending = path_of(*list_segments(disk, directory)->rbegin());
  REQUIRE(std::ranges::find(written, mending) != written.end());
  CHECK_FALSE(open(disk, last)->recovered.damaged.has_value());
  disk.lose(mending);
  const auto opened = open(disk, last);
  REQUIRE(error_of(opened) == "");
  CHECK(opened->recovered.damaged.has_value());
  CHECK(opened->report.find("the file is missing, but mended.") != std::string::npos);
}

TEST_CASE("damage in a part of the log that the checkpoint covers is ignored") {
  const std::vector<Step> steps = full_script();
  const Files files = files_after(steps);
  const zab::Durable& end = steps.back().state;
  const zab::Point applied = end.history.last_at_or_before({{4}, 1});
  SimFileSystem disk(1);
  plant(disk, files);
  SUBCASE("a record") { flip_bit(disk, 2); }
  SUBCASE("a header") { flip_bit(disk, 3, 41); }
  SUBCASE("a segment") { disk.lose(path_of(1)); }
  SUBCASE("several") {
    disk.lose(path_of(1));
    disk.lose(path_of(3));
    flip_bit(disk, 4);
  }
  {
    const auto opened = open(disk, applied);
    REQUIRE(error_of(opened) == "");
    CAPTURE(opened->report);
    CHECK_FALSE(opened->recovered.damaged.has_value());
    CHECK(opened->recovered.history.last() == end.history.last());
    CHECK(opened->recovered.history.contains(applied));
    CHECK(opened->recovered.applied == applied.zxid);
    CHECK(opened->recovered.founded);
    CHECK(opened->recovered.cluster == cluster);
  }
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(opened->recovered.damaged.has_value());
}

TEST_CASE("if the intact part ends before the checkpoint, the history is that of the checkpoint") {
  const std::vector<Step> steps = full_script();
  const zab::Point applied = steps.back().state.history.last_at_or_before({{4}, 7});
  SimFileSystem disk(1);
  SUBCASE("damage on both sides") {
    plant(disk, files_after(steps));
    flip_bit(disk, 2);
    disk.lose(path_of(9));
  }
  SUBCASE("the log is too short") {
    REQUIRE(run_steps(disk, {steps.begin(), steps.end() - 2}) > 0);
  }
  SUBCASE("there is no log") {}
  zab::Durable then;
  {
    auto opened = open(disk, applied);
    REQUIRE(error_of(opened) == "");
    CHECK(opened->recovered.history.base() == applied);
    CHECK(opened->recovered.history.size() == 0);
    REQUIRE(opened->recovered.damaged.has_value());
    CHECK(*opened->recovered.damaged >= zab::Claim{{4}, applied.zxid});
    CHECK(opened->recovered.accepted_epoch >= zab::Epoch{4});
    CHECK(opened->log.begin() == applied);
    opened->log.stage(adopt_from_leader(opened->recovered, applied.zxid, then));
    REQUIRE(error_of(opened->log.commit()) == "");
  }
  const auto opened = open(disk, applied);
  REQUIRE(error_of(opened) == "");
  CHECK(describe(opened->recovered) == describe(then));
}

TEST_CASE("a checkpoint of another history than the log's is refused") {
  const std::vector<Step> steps = full_script();
  SimFileSystem disk(1);
  REQUIRE(run_steps(disk, steps) == steps.size());
  zab::Point applied = steps.back().state.history.last();
  applied.hash.low ^= 1;
  CHECK(mentions(error_of(open(disk, applied)), "of another history"));
}

}  // namespace
}  // namespace storage::test
