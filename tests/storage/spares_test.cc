#include <algorithm>
#include <map>

#include <doctest/doctest.h>

#include "tests/storage/script.h"

// Segments that were purged are written over. What is left in them of an earlier life is behind the
// records of the new one, in every segment, and must never be taken for anything.
namespace storage::test {
namespace {

using sim::Fault;
using sim::SimFileSystem;

constexpr LogOptions recycling{.segment_bytes = 16384, .fill_bytes = 2048};

// Nobody would write over it if it were not purged: a checkpoint follows close behind the history.
std::vector<Step> steady_life() {
  Life life;
  std::vector<Step> steps;
  const auto commit = [&] {
    auto effects = life.take();
    steps.push_back({std::move(effects), {}, life.state()});
  };
  for (std::uint32_t epoch = 1; epoch < 4; ++epoch) {
    life.accept(epoch, epoch);
    life.adopt(epoch);
    commit();
    for (int i = 0; i < 8; ++i) {
      life.append(i % 3 + 1, i % 4 == 3 ? 3000 : 500);
      commit();
    }
  }
  return steps;
}

struct Checkpointed {
  std::size_t commits = 0;
  zab::Point checkpoint;
};

// Opens, and carries out `steps` from `from.commits` on, until a commit fails. Purges every other
// commit, and has spares made; if these fail it goes on. What could be carried out is the result.
Checkpointed live(FileSystem& files, const std::vector<Step>& steps, Checkpointed from = {}) {
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

// The state is that after `acknowledged` commits, or after one more. Returns which.
std::size_t check_recovered(const std::vector<Step>& steps, const zab::Durable& is,
                            std::size_t acknowledged) {
  CHECK_FALSE(is.damaged.has_value());
  for (const std::size_t commits : {acknowledged, acknowledged + 1}) {
    const zab::Durable& was = commits == 0 ? zab::Durable{} : steps.at(commits - 1).state;
    if (is.history.last() == was.history.last() && is.accepted_epoch == was.accepted_epoch &&
        is.current_epoch == was.current_epoch) {
      return commits;
    }
  }
  FAIL("after ", acknowledged, " acknowledged commits recovered to: ", words(is));
  return 0;
}

std::vector<std::string> spares_of(const SimFileSystem& disk) {
  std::vector<std::string> found;
  for (const std::string& path : disk.paths()) {
    if (path.starts_with(directory + "/spare.")) found.push_back(path);
  }
  return found;
}

// A log in whose last segment there is much of an earlier life behind the records, and a spare.
struct Recycled {
  SimFileSystem disk{1};
  std::vector<Step> steps;
  zab::Point checkpoint;
  LogPosition records_end;

  Recycled() {
    auto opened = open(disk, recycling);
    REQUIRE(error_of(opened) == "");
    Log& log = opened->log;
    Life life;
    life.accept(1, 1);
    life.adopt(1);
    while (log.end().sequence < 6 || log.end().offset < 7000) {
      life.append(1, 700);
      steps.push_back({life.take(), {}, life.state()});
      log.stage(steps.back().effects);
      REQUIRE(error_of(log.commit()) == "");
      if (log.end().sequence == 6 && log.end().offset > 5000) continue;
      checkpoint = life.state().history.last();
      REQUIRE(error_of(log.purge(checkpoint, 0)) == "");
    }
    records_end = log.end();
  }

  [[nodiscard]] std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> files;
    for (const std::string& path : disk.paths()) files[path] = disk.contents(path);
    files.erase(witness_path);  // what the log itself can tell
    return files;
  }
  // Its last segment, which is the only one.
  [[nodiscard]] std::string path() const { return path_of(records_end.sequence); }
};

void plant(SimFileSystem& disk, const std::map<std::string, std::string>& files) {
  for (const auto& [path, contents] : files) disk.plant(path, contents);
}

TEST_CASE("a log that is purged as it grows needs no new file, and no file grows") {
  SimFileSystem disk(1);
  auto opened = open(disk, recycling);
  REQUIRE(error_of(opened) == "");
  Life life;
  life.accept(1, 1);
  life.adopt(1);
  REQUIRE(error_of(commit(opened->log, life)) == "");
  const std::uint64_t begin = opened->log.end().sequence;
  std::size_t rounds = 0;
  for (std::uint64_t last = begin; last < begin + 20; ++rounds) {
    const zab::Point checkpoint = life.state().history.last();
    const bool full = !spares_of(disk).empty();
    disk.set_full(full && last > begin + 4);
    life.append(1, 700);
    REQUIRE(error_of(commit(opened->log, life)) == "");
    REQUIRE(error_of(opened->log.prepare()) == "");
    CHECK_FALSE((last > begin + 4 && opened->log.spare_work().has_value()));
    if (opened->log.end().sequence == last) continue;
    last = opened->log.end().sequence;
    REQUIRE(error_of(opened->log.purge(checkpoint, 3 * 16384)) == "");
    CHECK(spares_of(disk).size() <= recycling.spares);
    CHECK(disk.paths().size() <= 5 + recycling.spares);  // the extent is one
  }
  CHECK(rounds > 100);
  CHECK(disk.is_full());
  CHECK((*opened->log.read_after(opened->log.begin(), 1 << 20))->txns.size() > 20);
}

TEST_CASE("power may fail, and the disk err, at any operation of a log that is written over") {
  const std::vector<Step> steps = steady_life();
  SimFileSystem whole(0);
  REQUIRE(live(whole, steps).commits == steps.size());
  REQUIRE_FALSE(spares_of(whole).empty());
  const std::uint64_t operations = whole.operations();
  for (const Fault fault : {Fault::power, Fault::io_error}) {
    for (std::uint64_t at = 0; at < operations; ++at) {
      for (std::uint64_t seed = 0; seed < 6; ++seed) {
        CAPTURE(at);
        CAPTURE(seed);
        SimFileSystem disk(seed * 1000 + at);
        disk.fail_at(at, fault);
        Checkpointed done = live(disk, steps);
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
        // Whatever was returned stays.
        disk.power_cycle();
        {
          const auto opened = open(disk, done.checkpoint, recycling);
          REQUIRE(error_of(opened) == "");
          CHECK(check_recovered(steps, opened->recovered, done.commits) == done.commits);
        }
        done = live(disk, steps, done);
        REQUIRE(done.commits == steps.size());
        disk.power_cycle();
        const auto opened = open(disk, done.checkpoint, recycling);
        REQUIRE(error_of(opened) == "");
        CHECK(check_recovered(steps, opened->recovered, steps.size()) == steps.size());
      }
    }
  }
}

TEST_CASE("whatever becomes of bytes of an earlier life, nobody is any the worse for it") {
  const Recycled log;
  const auto files = log.files();
  const std::string& contents = files.at(log.path());
  const std::uint64_t from = page_end(log.records_end.offset);
  const std::string earlier = contents.substr(from);
  REQUIRE(earlier.size() == recycling.segment_bytes - 8192);
  REQUIRE(std::ranges::count(earlier, '\0') < 2000);
  for (std::uint64_t at = from; at < contents.size(); at += 3) {
    CAPTURE(at);
    SimFileSystem disk(at);
    plant(disk, files);
    disk.damage(log.path(),
                [&](std::string& bytes) { bytes[at] ^= static_cast<char>(at % 255 + 1); });
    const auto opened = open(disk, log.checkpoint, recycling);
    REQUIRE(error_of(opened) == "");
    CHECK(check_recovered(log.steps, opened->recovered, log.steps.size()) == log.steps.size());
    CHECK_FALSE(mentions(opened->report, "dropped"));
    // Nothing can come back from there.
    CHECK(disk.contents(log.path()).find_last_not_of('\0') < log.records_end.offset);
  }
}

TEST_CASE("every byte of a segment that was written over is watched") {
  const Recycled log;
  const auto files = log.files();
  const std::uint64_t last_commit = log.records_end.offset - record_bytes(700);
  for (std::uint64_t at = 0; at < log.records_end.offset; at += 7) {
    CAPTURE(at);
    SimFileSystem disk(at);
    plant(disk, files);
    disk.damage(log.path(), [&](std::string& bytes) { bytes[at] ^= 1; });
    const auto opened = open(disk, log.checkpoint, recycling);
    REQUIRE(error_of(opened) == "");
    const zab::Durable& is = opened->recovered;
    const zab::Durable& was = log.steps.back().state;
    CHECK(is.damaged.has_value() == (at < last_commit));
    if (is.damaged) {
      CHECK(*is.damaged <= zab::Claim{was.current_epoch, was.history.last().zxid});
      CHECK(is.accepted_epoch <= was.accepted_epoch);
    } else {
      CHECK(check_recovered(log.steps, is, log.steps.size() - 1) == log.steps.size() - 1);
      CHECK(mentions(opened->report, "dropped a commit"));
    }
  }
}

// Intact ones, where they lay in their own segment, of epochs that this log never reached.
TEST_CASE("records of another segment are no evidence") {
  SimFileSystem other(1);
  Life later;
  later.accept(9, 1);
  later.adopt(9);
  {
    auto opened = Log::open(other, directory, {2}, {}, recycling);
    REQUIRE(error_of(opened) == "");
    later.append(8, 1000);
    REQUIRE(error_of(commit(opened->log, later)) == "");
  }
  SimFileSystem disk(1);
  Life life;
  {
    auto opened = open(disk, recycling);
    REQUIRE(error_of(opened) == "");
    life.accept(2, 1);
    REQUIRE(error_of(commit(opened->log, life)) == "");
    life.adopt(2);
    life.append(1, 100);
    REQUIRE(error_of(commit(opened->log, life)) == "");
    REQUIRE(error_of(opened->log.mark()) == "");
  }
  // The records of segment 1 of that log behind those of this one: its key is another, for it
  // begins elsewhere.
  std::string contents = disk.contents(path_of(1));
  SegmentHeader header{self, 2, 5, {{2}, {1}, {2}, cluster, false, {}, {}}, {}};
  wire::Bytes records;
  append_record(records, RecordType::accept_epoch, {}, encode(zab::AcceptEpoch{{7}, {3}}),
                {5, true, {key_of(header), 8192}});
  contents.resize(recycling.segment_bytes, '\0');
  contents.replace(8192, records.size(), records);
  contents.replace(8192 + 1024, 4000, other.contents(path_of(1)), 8192 + 1024, 4000);
  disk.plant(path_of(1), contents);
  SUBCASE("of a log that is whole") {
    const auto opened = open(disk, recycling);
    REQUIRE(error_of(opened) == "");
    CHECK(words(opened->recovered) == words(life.state()));
  }
  SUBCASE("of a log that is damaged") {
    disk.damage(path_of(1), [](std::string& bytes) { bytes[header_bytes + 70] ^= 1; });
    const auto opened = open(disk, recycling);
    REQUIRE(error_of(opened) == "");
    CHECK(opened->recovered.damaged == zab::Claim{{2}, {{2}, 1}});
    CHECK(opened->recovered.accepted_epoch == zab::Epoch{2});
  }
}

TEST_CASE("spares do not outlive the process, and never the log") {
  const Recycled log;
  const std::vector<std::string> spares = spares_of(log.disk);
  REQUIRE_FALSE(spares.empty());
  SimFileSystem disk(1);
  plant(disk, log.files());
  SUBCASE("of a log that goes on") {
    REQUIRE(error_of(open(disk, log.checkpoint, recycling)) == "");
    CHECK(spares_of(disk).empty());
  }
  // Its first segment would have the key of the first segment that ever was, whose bytes may be
  // in a spare.
  SUBCASE("of one that is lost as a whole") {
    for (const std::string& one : disk.paths()) {
      if (one.starts_with(directory + "/log.")) disk.lose(one);
    }
    REQUIRE(error_of(open(disk, recycling)) == "");
    CHECK(spares_of(disk).empty());
  }
  SUBCASE("of one that is damaged: not before it is mended") {
    disk.damage(log.path(), [](std::string& bytes) { bytes[40] ^= 1; });
    auto opened = open(disk, log.checkpoint, recycling);
    REQUIRE(error_of(opened) == "");
    REQUIRE(opened->recovered.damaged.has_value());
    CHECK(spares_of(disk) == spares);
    Life life(opened->recovered);
    life.accept(9, 1);
    REQUIRE(error_of(commit(opened->log, life)) == "");
    CHECK(spares_of(disk).empty());
  }
}

TEST_CASE("a file that is damaged is never written over") {
  SimFileSystem disk(1);
  Life life;
  life.accept(1, 1);
  life.adopt(1);
  {
    auto opened = open(disk, recycling);
    REQUIRE(error_of(opened) == "");
    for (int i = 0; i < 12; ++i) {
      life.append(1, 1000);
      REQUIRE(error_of(commit(opened->log, life)) == "");
    }
    REQUIRE(error_of(opened->log.mark()) == "");
  }
  disk.damage(path_of(1), [](std::string& bytes) { bytes[header_bytes + 5000] ^= 1; });
  auto opened = open(disk, recycling);
  REQUIRE(error_of(opened) == "");
  REQUIRE(opened->recovered.damaged.has_value());
  Life after(opened->recovered);
  after.accept(2, 1);
  after.adopt(2);
  after.append(20, 900);
  REQUIRE(error_of(commit(opened->log, after)) == "");
  after.append(20, 900);
  REQUIRE(error_of(commit(opened->log, after)) == "");
  REQUIRE(error_of(opened->log.purge(after.state().history.last(), 0)) == "");
  for (const std::string& path : disk.paths()) CHECK(path != path_of(1));
  CHECK(spares_of(disk).empty());  // and that of the large commits is too large
}

TEST_CASE("a spare is made ahead when a segment is half full, once, or not at all") {
  SimFileSystem disk(1);
  Life life;
  life.accept(1, 1);
  life.adopt(1);
  auto opened = open(disk, recycling);
  REQUIRE(error_of(opened) == "");
  Log& log = opened->log;
  const auto grow = [&] {
    life.append(1, 1000);
    REQUIRE(error_of(commit(log, life)) == "");
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

  // It cannot be made: then the next segment grows as it goes.
  work = wanted();
  REQUIRE(work.has_value());
  disk.set_full(true);
  log.spare_made(*work, work->run());
  disk.set_full(false);
  CHECK(spares_of(disk).empty());
  CHECK_FALSE(log.spare_work().has_value());
  next_segment();
  CHECK(disk.contents(path_of(log.end().sequence)).size() < recycling.segment_bytes);

  // Somebody removes it.
  work = wanted();
  REQUIRE(work.has_value());
  log.spare_made(*work, work->run());
  disk.lose(work->path);
  next_segment();
  CHECK((*log.read_after({}, 1 << 20))->txns.size() == life.state().history.size());
}

}  // namespace
}  // namespace storage::test
