#include <doctest/doctest.h>

#include "tests/storage/script.h"

// The power fails, the process dies or the disk reports an error, at each operation of a log.
namespace storage::test {
namespace {

using sim::Fault;
using sim::SimFileSystem;

// Checks that the recovered state is the one after `acknowledged` commits, or after one more.
// Returns after how many.
std::size_t check_recovered_exactly(const std::vector<Step>& steps, const zab::Durable& recovered,
                                    std::size_t acknowledged) {
  const std::string is = describe(recovered);
  for (const std::size_t commits : {acknowledged, acknowledged + 1}) {
    if (commits > steps.size()) break;
    if (is == (commits == 0 ? describe({}) : steps[commits - 1].after)) return commits;
  }
  FAIL("after ", acknowledged, " acknowledged commits recovered to: ", is);
  return 0;
}

// Commits the steps from `from` on, and checks the state after a loss of power.
void run_rest(SimFileSystem& disk, const std::vector<Step>& steps, std::size_t from) {
  REQUIRE(run_steps(disk, steps, from) == steps.size() - from);
  disk.power_cycle();
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(describe(opened->recovered) == steps.back().after);
}

std::uint64_t operations_of(const std::vector<Step>& steps) {
  SimFileSystem disk(0);
  REQUIRE(run_steps(disk, steps) == steps.size());
  return disk.operations();
}

TEST_CASE("after a loss of power at any operation, all acknowledged commits are there") {
  const std::vector<Step> steps = full_script();
  const std::uint64_t operations = operations_of(steps);
  REQUIRE(operations > 60);
  for (std::uint64_t at = 0; at < operations; ++at) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      CAPTURE(at);
      CAPTURE(seed);
      SimFileSystem disk(seed * 1000 + at);
      disk.fail_at(at, Fault::power);
      const std::size_t acknowledged = run_steps(disk, steps);
      disk.power_cycle();
      const auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      const std::size_t recovered = check_recovered_exactly(steps, opened->recovered, acknowledged);
      disk.kill();
      run_rest(disk, steps, recovered);
    }
  }
}

TEST_CASE("recovery can be repeated after a loss of power at any of its operations, twice") {
  const std::vector<Step> steps = full_script();
  const std::uint64_t operations = operations_of(steps);
  for (std::uint64_t at = 0; at < operations; at += 3) {
    for (std::uint64_t again = 0;; ++again) {
      CAPTURE(at);
      CAPTURE(again);
      SimFileSystem disk(at * 100 + again);
      disk.fail_at(at, Fault::power);
      const std::size_t acknowledged = run_steps(disk, steps);
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
      const std::size_t recovered = check_recovered_exactly(steps, opened->recovered, acknowledged);
      disk.kill();
      if (again % 4 == 0) run_rest(disk, steps, recovered);
      if (survived) break;
    }
  }
}

// A server may send to others what a recovery returned. So it must be on the disk, even if a failed
// sync left something in the page cache alone.
TEST_CASE("a state that was recovered after a failed sync survives a loss of power") {
  const std::vector<Step> steps = full_script();
  const std::uint64_t operations = operations_of(steps);
  for (const Fault fault : {Fault::io_error, Fault::no_space}) {
    for (std::uint64_t at = 0; at < operations; ++at) {
      for (std::uint64_t seed = 0; seed < 6; ++seed) {
        CAPTURE(at);
        CAPTURE(seed);
        SimFileSystem disk(seed * 1000 + at);
        disk.fail_at(at, fault);
        const std::size_t acknowledged = run_steps(disk, steps);
        disk.kill();
        auto opened = open(disk);
        REQUIRE(error_of(opened) == "");
        std::size_t recovered = check_recovered_exactly(steps, opened->recovered, acknowledged);
        disk.power_cycle();
        opened = open(disk);
        REQUIRE(error_of(opened) == "");
        CHECK(check_recovered_exactly(steps, opened->recovered, recovered) == recovered);
        disk.kill();
        run_rest(disk, steps, recovered);
      }
    }
  }
}

TEST_CASE("two errors, one of them during recovery, and a loss of power lose no commit") {
  const std::vector<Step> steps = full_script();
  const std::uint64_t operations = operations_of(steps);
  for (std::uint64_t at = 0; at < operations; at += 2) {
    for (std::uint64_t again = 0;; ++again) {
      CAPTURE(at);
      CAPTURE(again);
      SimFileSystem disk(at * 100 + again);
      disk.fail_at(at, at % 4 == 0 ? Fault::io_error : Fault::power);
      std::size_t acknowledged = run_steps(disk, steps);
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
        // One more commit before the power fails: it must not be mixed up with the dropped one.
        auto opened = open(disk);
        REQUIRE(error_of(opened) == "");
        acknowledged = check_recovered_exactly(steps, opened->recovered, acknowledged);
        if (acknowledged < steps.size()) {
          opened->log.stage(steps[acknowledged].effects);
          REQUIRE(error_of(opened->log.commit()) == "");
          ++acknowledged;
        }
      }
      disk.power_cycle();
      const auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      CHECK(check_recovered_exactly(steps, opened->recovered, acknowledged) == acknowledged);
      if (survived) break;
    }
  }
}

TEST_CASE("after an error every call returns that error, and does not use the disk") {
  const std::vector<Step> steps = full_script();
  const std::uint64_t operations = operations_of(steps);
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

TEST_CASE("after an error in prepare, commit returns that error") {
  SimFileSystem disk(1);
  auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  Script script;
  script.accept(1, 1);
  script.adopt(1);
  for (;;) {
    script.append(1, 50);
    opened->log.stage(script.take_effects());
    REQUIRE(error_of(opened->log.commit()) == "");
    disk.fail_at(disk.operations(), Fault::no_space);
    if (!opened->log.prepare()) break;
    disk.heal();
  }
  script.append(1, 50);
  opened->log.stage(script.take_effects());
  CHECK(error_of(opened->log.commit()).find("No space left on device") != std::string::npos);
}

TEST_CASE("a commit survives a loss of power directly after it returned") {
  const std::vector<Step> steps = full_script();
  for (std::size_t commits = 0; commits <= steps.size(); ++commits) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      CAPTURE(commits);
      CAPTURE(seed);
      SimFileSystem disk(seed);
      REQUIRE(run_steps(disk, {steps.begin(),
                               steps.begin() + static_cast<std::ptrdiff_t>(commits)}) == commits);
      disk.power_cycle();
      const auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      CHECK(describe(opened->recovered) ==
            (commits == 0 ? describe({}) : steps[commits - 1].after));
    }
  }
}

}  // namespace
}  // namespace storage::test
