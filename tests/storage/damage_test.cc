#include <algorithm>
#include <functional>
#include <map>

#include <doctest/doctest.h>

#include "server/storage/recovery/segment_catalog.h"
#include "tests/storage/script.h"

// A log that lost a part of itself goes on: it opens, is written to, is opened again, and is
// damaged until it has taken over a history.
namespace storage::test {
namespace {

using sim::Fault;
using sim::SimFileSystem;

using Files = std::map<std::string, std::string>;

Files files_of(const SimFileSystem& disk) {
  Files files;
  for (const std::string& path : disk.paths()) files[path] = disk.contents(path);
  return files;
}

Files files_after(const std::vector<Step>& steps) {
  SimFileSystem disk(1);
  REQUIRE(carry_out(disk, steps) == steps.size());
  return files_of(disk);
}

void plant(SimFileSystem& disk, const Files& files) {
  for (const auto& [path, contents] : files) disk.plant(path, contents);
}

// One bit, a little behind the header.
void damage(SimFileSystem& disk, std::uint64_t sequence, std::uint64_t offset = header_bytes + 20) {
  std::string contents = disk.contents(path_of(sequence));
  contents.at(offset) = static_cast<char>(contents.at(offset) ^ 4);
  disk.plant(path_of(sequence), contents);
}

// Everything of `files` is still there, byte for byte, but for the extent, which goes on.
void check_untouched(const SimFileSystem& disk, const Files& files) {
  for (const auto& [path, contents] : files) {
    if (path == witness_path) continue;
    CAPTURE(path);
    CHECK((disk.contents(path) == contents));
  }
}

// Whatever was opened damaged promises an epoch, and takes over the history of its leader: what it
// has itself up to `from`, and two txns.
std::vector<zab::Persist> taking_over(const zab::Durable& damaged, zab::Zxid from,
                                      zab::Durable& then) {
  Life life(damaged);
  life.accept(damaged.accepted_epoch.value + 1, 3);
  life.adopt(damaged.accepted_epoch.value + 1, from, 2, 700);
  then = life.state();
  return life.take();
}

TEST_CASE("a damaged log is damaged until it adopts a history, and then whole") {
  const std::vector<Step> steps = whole_life();
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
        damage(disk, sequence);
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

        // A promise changes nothing about that.
        Life life(opened->recovered);
        life.accept(7, 2);
        REQUIRE(error_of(commit(opened->log, life)) == "");
        then = life.state();
      }
      {
        auto opened = open(disk);
        REQUIRE(error_of(opened) == "");
        CHECK(words(opened->recovered) == words(then));
        CHECK(mentions(opened->report, "does not vote"));
        const zab::Zxid from = opened->recovered.history.last().zxid;
        opened->log.stage(taking_over(opened->recovered, from, then));
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
      CHECK(words(opened->recovered) == words(then));
      CHECK_FALSE(opened->recovered.damaged.has_value());
      CHECK_FALSE(mentions(opened->report, "vote"));
    }
  }
}

TEST_CASE("power may fail at any operation of what follows damage") {
  const std::vector<Step> steps = whole_life();
  const Files files = files_after(steps);
  std::size_t before = 0;
  std::size_t after = 0;
  for (const Fault fault : {Fault::power, Fault::io_error}) {
    for (std::uint64_t at = 0;; ++at) {
      CAPTURE(at);
      SimFileSystem disk(at);
      plant(disk, files);
      damage(disk, 4);
      const Files damaged = files_of(disk);
      std::string as_damaged;
      zab::Durable promised;
      zab::Durable then;
      std::size_t commits = 0;
      {
        auto opened = open(disk);
        REQUIRE(error_of(opened) == "");
        as_damaged = words(opened->recovered);
        Life life(opened->recovered);
        life.accept(6, 2);
        promised = life.state();
        disk.fail_at(disk.operations() + at, fault);
        if (commit(opened->log, life)) {
          ++commits;
          opened->log.stage(taking_over(promised, {{1}, 6}, then));
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
      const std::string is = words(opened->recovered);
      CAPTURE(is);
      CAPTURE(commits);
      if (commits == 0) CHECK((is == as_damaged || is == words(promised)));
      if (commits == 1) CHECK((is == words(promised) || is == words(then)));
      if (commits == 2) CHECK(is == words(then));
      (opened->recovered.damaged ? before : after) += 1;
      check_untouched(disk, damaged);
      if (commits == 2) break;
    }
  }
  CHECK(before > 5);
  CHECK(after >= 2);
}

TEST_CASE("damage upon damage") {
  const std::vector<Step> steps = whole_life();
  SimFileSystem disk(1);
  plant(disk, files_after(steps));
  // The seal: what is before it in that segment goes on to count.
  damage(disk, 4, disk.contents(path_of(4)).find_last_not_of('\0') - 20);
  zab::Durable then;
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    opened->log.stage(taking_over(opened->recovered, {{1}, 6}, then));
    REQUIRE(error_of(opened->log.commit()) == "");
    Life life(then);
    for (int i = 0; i < 20; ++i) {
      life.append(1, 500);
      REQUIRE(error_of(commit(opened->log, life)) == "");
    }
    then = life.state();
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
           Row{"that one's header", mended + 1, Where::header, false},
           Row{"what was intact before", 2, Where::record, false},
           Row{"what is intact of a segment that was damaged", 4, Where::record, false},
           Row{"the header of that", 4, Where::header, false},
           Row{"the file of that", 4, Where::file, false},
           Row{"what was void anyway", 7, Where::record, true},
           Row{"the header of what was void", 8, Where::header, true},
           Row{"the file of what was void", 5, Where::file, true},
       }) {
    CAPTURE(row.what);
    SimFileSystem twice(1);
    plant(twice, whole);
    if (row.where == Where::record) damage(twice, row.sequence);
    if (row.where == Where::header) damage(twice, row.sequence, 40);
    if (row.where == Where::file) twice.lose(path_of(row.sequence));
    const Files damaged = files_of(twice);
    zab::Durable at_last;
    {
      auto opened = open(twice);
      REQUIRE(error_of(opened) == "");
      CAPTURE(opened->report);
      CHECK(opened->recovered.damaged.has_value() == !row.harmless);
      if (row.harmless) {
        CHECK(words(opened->recovered) == words(then));
        continue;
      }
      const zab::Point last = opened->recovered.history.last();
      CHECK(last != then.history.last());
      CHECK((then.history.contains(last) || steps[7].state.history.contains(last)));
      CHECK(*opened->recovered.damaged >= zab::Claim{{5}, {{5}, 21}});
      opened->log.stage(taking_over(opened->recovered, last.zxid, at_last));
      REQUIRE(error_of(opened->log.commit()) == "");
    }
    check_untouched(twice, damaged);
    const auto opened = open(twice);
    REQUIRE(error_of(opened) == "");
    CHECK(words(opened->recovered) == words(at_last));
  }
}

// What stood before it may be a whole log, as soon as a checkpoint covers what was lost of that.
TEST_CASE("the loss of a segment that mends is damage, whatever is before it") {
  const Files files = files_after(whole_life());
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
  CHECK(opened->report.find("is missing, but mended.") != std::string::npos);
}

TEST_CASE("damage in what the checkpoint covers is none") {
  const std::vector<Step> steps = whole_life();
  const Files files = files_after(steps);
  const zab::Durable& end = steps.back().state;
  const zab::Point applied = end.history.last_at_or_before({{4}, 1});
  SimFileSystem disk(1);
  plant(disk, files);
  SUBCASE("a record") { damage(disk, 2); }
  SUBCASE("a header") { damage(disk, 3, 41); }
  SUBCASE("a segment") { disk.lose(path_of(1)); }
  SUBCASE("several") {
    disk.lose(path_of(1));
    disk.lose(path_of(3));
    damage(disk, 4);
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

TEST_CASE("where the intact part ends before the checkpoint, the checkpoint is what there is") {
  const std::vector<Step> steps = whole_life();
  const zab::Point applied = steps.back().state.history.last_at_or_before({{4}, 7});
  SimFileSystem disk(1);
  SUBCASE("damage on both sides") {
    plant(disk, files_after(steps));
    damage(disk, 2);
    disk.lose(path_of(9));
  }
  SUBCASE("the log is too short") {
    REQUIRE(carry_out(disk, {steps.begin(), steps.end() - 2}) > 0);
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
    opened->log.stage(taking_over(opened->recovered, applied.zxid, then));
    REQUIRE(error_of(opened->log.commit()) == "");
  }
  const auto opened = open(disk, applied);
  REQUIRE(error_of(opened) == "");
  CHECK(words(opened->recovered) == words(then));
}

TEST_CASE("a checkpoint of another history than the log's is refused") {
  const std::vector<Step> steps = whole_life();
  SimFileSystem disk(1);
  REQUIRE(carry_out(disk, steps) == steps.size());
  zab::Point applied = steps.back().state.history.last();
  applied.hash.low ^= 1;
  CHECK(mentions(error_of(open(disk, applied)), "of another history"));
}

// --- mark and extent ---

TEST_CASE("with a mark or the extent, damage to the last commit is told from a crash during it") {
  struct Row {
    bool marked;
    bool witnessed;
  };
  for (const auto& [marked, witnessed] :
       {Row{false, false}, Row{true, false}, Row{false, true}, Row{true, true}}) {
    CAPTURE(marked);
    CAPTURE(witnessed);
    SimFileSystem disk(1);
    std::uint64_t first_begin = 0;
    {
      auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      Life life;
      life.accept(1, 1);
      life.adopt(1);
      REQUIRE(error_of(commit(opened->log, life)) == "");
      first_begin = (disk.contents(path_of(1)).find_last_not_of('\0') / 8 + 1) * 8;
      life.append(1, 100);
      REQUIRE(error_of(commit(opened->log, life)) == "");
      if (marked) {
        const std::uint64_t before = disk.operations();
        REQUIRE(error_of(opened->log.mark()) == "");
        CHECK(disk.operations() == before + 3);  // two syncs
        REQUIRE(error_of(opened->log.mark()) == "");
        CHECK(disk.operations() == before + 3);
      }
    }
    if (!witnessed) disk.lose(witness_path);
    damage(disk, 1, first_begin + 70);
    const auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    CHECK(opened->recovered.damaged.has_value() == (marked || witnessed));
    if (marked || witnessed) CHECK(*opened->recovered.damaged == zab::Claim{{1}, {{1}, 1}});
  }
}

// Nothing in the log itself tells this from a crash in the midst of the first commit that is gone.
TEST_CASE("the extent tells of an end that is gone without a trace") {
  struct Row {
    const char* what;
    std::function<void(SimFileSystem&, std::uint64_t)> how;
    bool is_told;
  };
  const auto cut = [](SimFileSystem& disk, std::uint64_t from) {
    disk.damage(path_of(1), [&](std::string& bytes) { bytes.resize(from); });
  };
  const auto zero = [](SimFileSystem& disk, std::uint64_t from) {
    disk.damage(path_of(1), [&](std::string& bytes) {
      std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end(), '\0');
    });
  };
  const Row rows[] = {
      {"cut", cut, true},
      {"zeros", zero, true},
      {"all of it", [](SimFileSystem& disk, std::uint64_t) { disk.lose(path_of(1)); }, true},
      {"nothing", [](SimFileSystem&, std::uint64_t) {}, false},
      {"the extent too",
       [&](SimFileSystem& disk, std::uint64_t from) {
         cut(disk, from);
         disk.damage(witness_path, [](std::string& bytes) { bytes.assign(bytes.size(), 'x'); });
       },
       false},
      {"the extent alone", [](SimFileSystem& disk, std::uint64_t) { disk.lose(witness_path); },
       false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    SimFileSystem disk(1);
    std::uint64_t from = 0;
    zab::Point last;
    {
      auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      Life life;
      life.accept(1, 1);
      life.adopt(1);
      REQUIRE(error_of(commit(opened->log, life)) == "");
      from = opened->log.end().offset;
      for (int i = 0; i < 3; ++i) {
        life.append(1, 100);
        REQUIRE(error_of(commit(opened->log, life)) == "");
      }
      last = life.state().history.last();
      disk.kill();
    }
    row.how(disk, from);
    std::uint64_t next = 0;
    {
      const auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      REQUIRE(opened->recovered.damaged.has_value() == row.is_told);
      if (!row.is_told) continue;
      CHECK(*opened->recovered.damaged == zab::Claim{{1}, last.zxid});
      CHECK(mentions(opened->report, "once reached commit 4"));
      next = opened->log.end().sequence;
    }
    // It is told again until a history is adopted, and then no more.
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    CHECK(opened->log.end().sequence == next);
    zab::Durable then;
    opened->log.stage(taking_over(opened->recovered, opened->recovered.history.last().zxid, then));
    REQUIRE(error_of(opened->log.commit()) == "");
    disk.kill();
    opened = open(disk);
    REQUIRE(error_of(opened) == "");
    CHECK_FALSE(opened->recovered.damaged.has_value());
  }
}

TEST_CASE(
    "the extent's two places take turns, and what one says is there while the other is lost") {
  for (const std::size_t lost : {0, 1}) {
    CAPTURE(lost);
    SimFileSystem disk(1);
    Life life;
    life.accept(1, 1);
    life.adopt(1);
    std::uint64_t before_last = 0;
    // With a mark behind each, as on a server that is asked now and then, and with other starts.
    for (int i = 0; i < 4; ++i) {
      auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      before_last = opened->log.end().offset;
      life.append(1, 100);
      REQUIRE(error_of(commit(opened->log, life)) == "");
      REQUIRE(error_of(opened->log.mark()) == "");
    }
    disk.damage(witness_path, [&](std::string& bytes) { bytes[lost * header_bytes + 20] ^= 1; });
    // At least the commit before the last is still witnessed.
    disk.damage(path_of(1), [&](std::string& bytes) { bytes.resize(before_last - 200); });
    const auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    CHECK(opened->recovered.damaged.has_value());
  }
}

// The checkpoint, or the extent, says that the log has lost its end, but for an empty segment.
TEST_CASE("a log that lost a seal and all behind it is mended once") {
  SimFileSystem disk(1);
  Life life;
  life.accept(1, 1);
  life.adopt(1);
  std::uint64_t sealed_at = 0;
  {
    auto opened = open(disk, LogOptions{.segment_bytes = 12288, .fill_bytes = 1024});
    REQUIRE(error_of(opened) == "");
    while (opened->log.end().sequence < 2 || opened->log.end().offset < 6000) {
      if (opened->log.end().sequence == 1) sealed_at = opened->log.end().offset;
      life.append(1, 300);
      REQUIRE(error_of(commit(opened->log, life)) == "");
      if (opened->log.end().sequence == 1) sealed_at = opened->log.end().offset;
    }
  }
  disk.damage(path_of(1), [&](std::string& bytes) { bytes.resize(sealed_at); });
  disk.damage(path_of(2), [&](std::string& bytes) { bytes.resize(header_bytes); });
  zab::Durable then;
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    REQUIRE(opened->recovered.damaged.has_value());
    opened->log.stage(taking_over(opened->recovered, opened->recovered.history.last().zxid, then));
    REQUIRE(error_of(opened->log.commit()) == "");
  }
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(words(opened->recovered) == words(then));
}

TEST_CASE("a damaged mark is dropped") {
  SimFileSystem disk(1);
  Life life;
  life.accept(1, 1);
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    REQUIRE(error_of(commit(opened->log, life)) == "");
    REQUIRE(error_of(opened->log.mark()) == "");
  }
  REQUIRE(error_of(open(disk)) == "");
  damage(disk, 1, header_bytes + record_bytes(8) + 3);
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    CHECK(words(opened->recovered) == words(life.state()));
    // The commit before it is not proven any more.
    const std::uint64_t before = disk.operations();
    REQUIRE(error_of(opened->log.mark()) == "");
    CHECK(disk.operations() == before + 3);
  }
  auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  const std::uint64_t before = disk.operations();
  REQUIRE(error_of(opened->log.mark()) == "");
  CHECK(disk.operations() == before);
}

TEST_CASE("a mark without room begins a segment") {
  SimFileSystem disk(1);
  auto opened = open(disk, LogOptions{.segment_bytes = header_bytes + 3 * 64, .fill_bytes = 64});
  REQUIRE(error_of(opened) == "");
  Life life;
  for (std::uint32_t i = 1; i <= 20; ++i) {
    life.accept(i, 1);
    REQUIRE(error_of(commit(opened->log, life)) == "");
    if (i % 3 != 0) REQUIRE(error_of(opened->log.mark()) == "");
  }
  { const Log closing = std::move(opened->log); }
  const auto again = open(disk);
  REQUIRE(error_of(again) == "");
  CHECK(words(again->recovered) == words(life.state()));
}

}  // namespace
}  // namespace storage::test
