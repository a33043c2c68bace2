#include <doctest/doctest.h>

#include "tests/storage/script.h"

// Power fails, processes die, disks err: at every single operation of a log's life.
namespace storage::test {
namespace {

using sim::Fault;
using sim::SimFileSystem;

// Which of the states before and after each commit a log recovered to; fails if it is none of those
// allowed, that is fewer than `acknowledged` commits, or more than one beyond.
std::size_t check_recovered(const std::vector<Step>& steps, const zab::Durable& recovered,
                            std::size_t acknowledged) {
  const std::string is = words(recovered);
  for (const std::size_t commits : {acknowledged, acknowledged + 1}) {
    if (commits > steps.size()) break;
    if (is == (commits == 0 ? words({}) : steps[commits - 1].after)) return commits;
  }
  FAIL("after ", acknowledged, " acknowledged commits recovered to: ", is);
  return 0;
}

// The rest of the life from what was recovered, and one more look at all of it.
void live_on(SimFileSystem& disk, const std::vector<Step>& steps, std::size_t from) {
  REQUIRE(carry_out(disk, steps, from) == steps.size() - from);
  disk.power_cycle();
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(words(opened->recovered) == steps.back().after);
}

std::uint64_t operations_of_a_whole_life(const std::vector<Step>& steps) {
  SimFileSystem disk(0);
  REQUIRE(carry_out(disk, steps) == steps.size());
  return disk.operations();
}

TEST_CASE("power may fail at any operation") {
  const std::vector<Step> steps = whole_life();
  const std::uint64_t operations = operations_of_a_whole_life(steps);
  REQUIRE(operations > 60);
  for (std::uint64_t at = 0; at < operations; ++at) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      CAPTURE(at);
      CAPTURE(seed);
      SimFileSystem disk(seed * 1000 + at);
      disk.fail_at(at, Fault::power);
      const std::size_t acknowledged = carry_out(disk, steps);
      disk.power_cycle();
      const auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      const std::size_t recovered = check_recovered(steps, opened->recovered, acknowledged);
      disk.kill();
      live_on(disk, steps, recovered);
    }
  }
}

TEST_CASE("power may fail again at any operation of the recovery, and once more") {
  const std::vector<Step> steps = whole_life();
  const std::uint64_t operations = operations_of_a_whole_life(steps);
  for (std::uint64_t at = 0; at < operations; at += 3) {
    for (std::uint64_t again = 0;; ++again) {
      CAPTURE(at);
      CAPTURE(again);
      SimFileSystem disk(at * 100 + again);
      disk.fail_at(at, Fault::power);
      const std::size_t acknowledged = carry_out(disk, steps);
      disk.power_cycle();
      disk.fail_at(disk.operations() + again, Fault::power);
      const bool survived = open(disk).has_value();
      disk.power_cycle();
      disk.fail_at(disk.operations() + again / 2, Fault::power);
      static_cast<void>(open(disk));
      disk.power_cycle();
      disk.heal();
      const auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      const std::size_t recovered = check_recovered(steps, opened->recovered, acknowledged);
      disk.kill();
      if (again % 4 == 0) live_on(disk, steps, recovered);
      if (survived) break;
    }
  }
}

// What a recovery returned may be told to others at once: it must not depend on the page cache,
// even after a sync that failed and lied.
TEST_CASE("what was recovered after an error stays, whatever the page cache pretended") {
  const std::vector<Step> steps = whole_life();
  const std::uint64_t operations = operations_of_a_whole_life(steps);
  for (const Fault fault : {Fault::io_error, Fault::no_space}) {
    for (std::uint64_t at = 0; at < operations; ++at) {
      for (std::uint64_t seed = 0; seed < 6; ++seed) {
        CAPTURE(at);
        CAPTURE(seed);
        SimFileSystem disk(seed * 1000 + at);
        disk.fail_at(at, fault);
        const std::size_t acknowledged = carry_out(disk, steps);
        disk.kill();
        auto opened = open(disk);
        REQUIRE(error_of(opened) == "");
        std::size_t recovered = check_recovered(steps, opened->recovered, acknowledged);
        disk.power_cycle();
        opened = open(disk);
        REQUIRE(error_of(opened) == "");
        CHECK(check_recovered(steps, opened->recovered, recovered) == recovered);
        disk.kill();
        live_on(disk, steps, recovered);
      }
    }
  }
}

TEST_CASE("errors at two places, the second in the recovery, and then a power failure") {
  const std::vector<Step> steps = whole_life();
  const std::uint64_t operations = operations_of_a_whole_life(steps);
  for (std::uint64_t at = 0; at < operations; at += 2) {
    for (std::uint64_t again = 0;; ++again) {
      CAPTURE(at);
      CAPTURE(again);
      SimFileSystem disk(at * 100 + again);
      disk.fail_at(at, at % 4 == 0 ? Fault::io_error : Fault::power);
      std::size_t acknowledged = carry_out(disk, steps);
      if (at % 4 == 0) {
        disk.kill();
      } else {
        disk.power_cycle();
      }
      disk.fail_at(disk.operations() + again, Fault::io_error);
      const bool survived = open(disk).has_value();
      disk.kill();
      disk.heal();
      {
        // One more commit before the power fails: the next to be confused with what was dropped.
        auto opened = open(disk);
        REQUIRE(error_of(opened) == "");
        acknowledged = check_recovered(steps, opened->recovered, acknowledged);
        if (acknowledged < steps.size()) {
          opened->log.stage(steps[acknowledged].effects);
          REQUIRE(error_of(opened->log.commit()) == "");
          ++acknowledged;
        }
      }
      disk.power_cycle();
      const auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      CHECK(check_recovered(steps, opened->recovered, acknowledged) == acknowledged);
      if (survived) break;
    }
  }
}

TEST_CASE("after an error the log refuses everything, and touches the disk no more") {
  const std::vector<Step> steps = whole_life();
  const std::uint64_t operations = operations_of_a_whole_life(steps);
  std::size_t errors = 0;
  for (std::uint64_t at = 0; at < operations; ++at) {
    SimFileSystem disk(at);
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    disk.fail_at(disk.operations() + at, Fault::io_error);
    Result<void> done;
    for (auto step = steps.begin(); step != steps.end() && done; ++step) {
      opened->log.stage(step->effects);
      done = opened->log.commit();
    }
    if (done) continue;
    ++errors;
    CAPTURE(done.error().message);
    CHECK(done.error().message.find(directory) != std::string::npos);
    CHECK(done.error().message.find("Input/output error") != std::string::npos);

    const std::uint64_t before = disk.operations();
    CHECK(error_of(opened->log.commit()) == done.error().message);
    CHECK(error_of(opened->log.prepare()) == done.error().message);
    CHECK(disk.operations() == before);
  }
  CHECK(errors > 40);
}

TEST_CASE("an error while working ahead counts as much") {
  SimFileSystem disk(1);
  auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  Life life;
  life.accept(1, 1);
  life.adopt(1);
  for (;;) {
    life.append(1, 50);
    opened->log.stage(life.take());
    REQUIRE(error_of(opened->log.commit()) == "");
    disk.fail_at(disk.operations(), Fault::no_space);
    if (!opened->log.prepare()) break;
    disk.heal();
  }
  life.append(1, 50);
  opened->log.stage(life.take());
  CHECK(error_of(opened->log.commit()).find("No space left on device") != std::string::npos);
}

TEST_CASE("a promise is durable when commit returns") {
  // Not even the process may be needed for it any more: power fails right behind the commit.
  const std::vector<Step> steps = whole_life();
  for (std::size_t commits = 0; commits <= steps.size(); ++commits) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      CAPTURE(commits);
      CAPTURE(seed);
      SimFileSystem disk(seed);
      REQUIRE(carry_out(disk, {steps.begin(),
                               steps.begin() + static_cast<std::ptrdiff_t>(commits)}) == commits);
      disk.power_cycle();
      const auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      CHECK(words(opened->recovered) == (commits == 0 ? words({}) : steps[commits - 1].after));
    }
  }
}

}  // namespace
}  // namespace storage::test
