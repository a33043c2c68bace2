#include <algorithm>

#include <doctest/doctest.h>

#include "tests/storage/recycled_log.h"
#include "tests/storage/script.h"

// Purged segments are kept as spare files, and written over by later segments.
namespace storage::test {
namespace {

using sim::Fault;
using sim::SimFileSystem;

// Many segments' worth of small and large commits. `run_purging` purges as it goes.
std::vector<Step> purging_script() {
  Script script;
  std::vector<Step> steps;
  const auto commit = [&] {
    auto effects = script.take_effects();
    steps.push_back({std::move(effects), {}, script.state()});
  };
  for (std::uint32_t epoch = 1; epoch < 4; ++epoch) {
    script.accept(epoch, epoch);
    script.adopt(epoch);
    commit();
    for (int i = 0; i < 8; ++i) {
      script.append(i % 3 + 1, i % 4 == 3 ? 3000 : 500);
      commit();
    }
  }
  return steps;
}

struct Checkpointed {
  std::size_t commits = 0;
  zab::Point checkpoint;
};

// Opens the log, and commits `steps` from `from.commits` on, until a commit fails. Purges after
// every second commit, and makes spare files; continues if these fail. Returns how far it came.
Checkpointed run_purging(FileSystem& files, const std::vector<Step>& steps,
                         Checkpointed from = {}) {
  auto opened = open(files, from.checkpoint, recycling);
  if (!opened) return from;
  Log& log = opened->log;
  for (std::size_t i = from.commits; i < steps.size(); ++i) {
    log.stage(steps[i].effects);
    if (!log.commit()) break;
    from.commits = i + 1;
    if (i % 3 == 0 && !log.prepare()) break;
    if (const auto work = log.spare_work()) log.spare_made(*work, work->run());
    if (i % 2 == 0) continue;
    from.checkpoint = steps[i - 1].state.history.last();
    static_cast<void>(log.purge(from.checkpoint, 0));
  }
  return from;
}

TEST_CASE("a log that is purged as it grows makes no new file, and no file grows") {
  SimFileSystem disk(1);
  auto opened = open(disk, recycling);
  REQUIRE(error_of(opened) == "");
  Script script;
  script.accept(1, 1);
  script.adopt(1);
  REQUIRE(error_of(commit(opened->log, script)) == "");
  const std::uint64_t begin = opened->log.end().sequence;
  std::size_t rounds = 0;
  for (std::uint64_t last = begin; last < begin + 20; ++rounds) {
    const zab::Point checkpoint = script.state().history.last();
    const bool full = !spares_of(disk).empty();
    disk.set_full(full && last > begin + 4);
    script.append(1, 700);
    REQUIRE(error_of(commit(opened->log, script)) == "");
    REQUIRE(error_of(opened->log.prepare()) == "");
    CHECK_FALSE((last > begin + 4 && opened->log.spare_work().has_value()));
    if (opened->log.end().sequence == last) continue;
    last = opened->log.end().sequence;
    REQUIRE(error_of(opened->log.purge(checkpoint, 3 * 16384)) == "");
    CHECK(spares_of(disk).size() <= recycling.spares);
    CHECK(disk.paths().size() <= 5 + recycling.spares);  // with the extent
  }
  CHECK(rounds > 100);
  CHECK(disk.is_full());
  CHECK((*opened->log.read_after(opened->log.begin(), 1 << 20))->txns.size() > 20);
}

TEST_CASE("a loss of power or an error at any operation of a recycled log loses no commit") {
  const std::vector<Step> steps = purging_script();
  SimFileSystem whole(0);
  REQUIRE(run_purging(whole, steps).commits == steps.size());
  REQUIRE_FALSE(spares_of(whole).empty());
  const std::uint64_t operations = whole.operations();
  for (const Fault fault : {Fault::power, Fault::io_error}) {
    for (std::uint64_t at = 0; at < operations; ++at) {
      for (std::uint64_t seed = 0; seed < 6; ++seed) {
        CAPTURE(at);
        CAPTURE(seed);
        SimFileSystem disk(seed * 1000 + at);
        disk.fail_at(at, fault);
        Checkpointed done = run_purging(disk, steps);
        if (fault == Fault::power) {
          disk.power_cycle();
        } else {
          disk.kill();
        }
        {
          const auto opened = open(disk, done.checkpoint, recycling);
          REQUIRE(error_of(opened) == "");
          CHECK_FALSE(mentions(opened->report, "damaged"));
          CHECK(spares_of(disk).empty());
          done.commits = check_recovered(steps, opened->recovered, done.commits);
        }
        // A state that recovery returned survives a loss of power.
        disk.power_cycle();
        {
          const auto opened = open(disk, done.checkpoint, recycling);
          REQUIRE(error_of(opened) == "");
          CHECK(check_recovered(steps, opened->recovered, done.commits) == done.commits);
        }
        done = run_purging(disk, steps, done);
        REQUIRE(done.commits == steps.size());
        disk.power_cycle();
        const auto opened = open(disk, done.checkpoint, recycling);
        REQUIRE(error_of(opened) == "");
        CHECK(check_recovered(steps, opened->recovered, steps.size()) == steps.size());
      }
    }
  }
}

TEST_CASE("a damaged file is never recycled") {
  SimFileSystem disk(1);
  Script script;
  script.accept(1, 1);
  script.adopt(1);
  {
    auto opened = open(disk, recycling);
    REQUIRE(error_of(opened) == "");
    for (int i = 0; i < 12; ++i) {
      script.append(1, 1000);
      REQUIRE(error_of(commit(opened->log, script)) == "");
    }
    REQUIRE(error_of(opened->log.mark()) == "");
  }
  disk.damage(path_of(1), [](std::string& bytes) { bytes[header_bytes + 5000] ^= 1; });
  auto opened = open(disk, recycling);
  REQUIRE(error_of(opened) == "");
  REQUIRE(opened->recovered.damaged.has_value());
  Script after(opened->recovered);
  after.accept(2, 1);
  after.adopt(2);
  after.append(20, 900);
  REQUIRE(error_of(commit(opened->log, after)) == "");
  after.append(20, 900);
  REQUIRE(error_of(commit(opened->log, after)) == "");
  REQUIRE(error_of(opened->log.purge(after.state().history.last(), 0)) == "");
  for (const std::string& path : disk.paths()) CHECK(path != path_of(1));
  CHECK(spares_of(disk).empty());  // the file of the large commits is too large
}

TEST_CASE("a spare file is made once, when a segment is half full, and a failure does no harm") {
  SimFileSystem disk(1);
  Script script;
  script.accept(1, 1);
  script.adopt(1);
  auto opened = open(disk, recycling);
  REQUIRE(error_of(opened) == "");
  Log& log = opened->log;
  const auto grow = [&] {
    script.append(1, 1000);
    REQUIRE(error_of(commit(log, script)) == "");
  };
  const auto wanted = [&] {
    const std::uint64_t sequence = log.end().sequence;
    for (;;) {
      grow();
      if (log.end().sequence != sequence) return std::optional<SpareWork>();
      if (auto work = log.spare_work()) {
        CHECK(log.end().offset >= recycling.segment_bytes / 2);
        CHECK_FALSE(log.spare_work().has_value());
        return work;
      }
    }
  };
  const auto next_segment = [&] {
    for (const std::uint64_t sequence = log.end().sequence; log.end().sequence == sequence;) grow();
  };
  auto work = wanted();
  REQUIRE(work.has_value());
  log.spare_made(*work, work->run());
  REQUIRE(spares_of(disk).size() == 1);
  CHECK((disk.durable_contents(work->path) == std::string(recycling.segment_bytes, '\0')));
  next_segment();
  CHECK(spares_of(disk).empty());
  CHECK(disk.contents(path_of(log.end().sequence)).size() == recycling.segment_bytes);

  // If it cannot be made, the file of the next segment grows as it is written.
  work = wanted();
  REQUIRE(work.has_value());
  disk.set_full(true);
  log.spare_made(*work, work->run());
  disk.set_full(false);
  CHECK(spares_of(disk).empty());
  CHECK_FALSE(log.spare_work().has_value());
  next_segment();
  CHECK(disk.contents(path_of(log.end().sequence)).size() < recycling.segment_bytes);

  // If an operator removes it, a new file is made.
  work = wanted();
  REQUIRE(work.has_value());
  log.spare_made(*work, work->run());
  disk.lose(work->path);
  next_segment();
  CHECK((*log.read_after({}, 1 << 20))->txns.size() == script.state().history.size());
}

}  // namespace
}  // namespace storage::test
