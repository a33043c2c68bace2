#include <doctest/doctest.h>

#include "server/storage/format/record.h"
#include "tests/storage/script.h"

// A learner's diff, read from the log: never what is void, never with a gap.
namespace storage::test {
namespace {

using sim::SimFileSystem;

// The txns of a history after a point, in the words of a stretch.
std::string words(const Stretch& stretch) {
  std::string text = "from " + wire::to_string(stretch.from.zxid) + ':';
  for (const zab::Txn& txn : stretch.txns) {
    text += ' ' + wire::to_string(txn.zxid) + '=' + wire::to_hex(txn.hash.low) + '/' +
            std::to_string(txn.payload->size());
  }
  return text;
}

std::string expected(const zab::History& history, zab::Point after, std::uint64_t max_bytes) {
  Stretch stretch{history.common_candidate(after), {}};
  std::uint64_t bytes = 0;
  for (auto txn = history.after(stretch.from.zxid); txn != history.end(); ++txn) {
    bytes += txn->payload->size();
    if (!stretch.txns.empty() && bytes > max_bytes) break;
    stretch.txns.push_back(*txn);
  }
  return words(stretch);
}

// Whatever is asked for is what the history in memory would give.
void check_reads(Log& log, const zab::History& history) {
  std::vector<zab::Point> points{history.base()};
  for (auto txn = history.after(history.base().zxid); txn != history.end(); ++txn) {
    points.push_back(txn->point());
  }
  const zab::Zxid last = history.last().zxid;
  points.push_back({last.next(), {}});
  points.push_back({{last.epoch.next(), 3}, {}});
  for (zab::Point point : points) {
    for (const bool same : {true, false}) {
      if (!same) point.hash.high ^= 1;
      for (const std::uint64_t max_bytes : {0u, 1000u, 2000u, 1u << 20}) {
        CAPTURE(wire::to_string(point.zxid));
        CAPTURE(same);
        CAPTURE(max_bytes);
        const auto read = log.read_after(point, max_bytes);
        REQUIRE(error_of(read) == "");
        if (!same && point.zxid == history.base().zxid) {
          CHECK_FALSE(read->has_value());
          continue;
        }
        REQUIRE(read->has_value());
        CHECK(words(**read) == expected(history, point, max_bytes));
      }
    }
  }
}

TEST_CASE("after every commit, every stretch of the history can be read, and nothing else") {
  const std::vector<Step> steps = whole_life();
  for (const bool reopened : {false, true}) {
    CAPTURE(reopened);
    SimFileSystem disk(1);
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    for (std::size_t i = 0; i < steps.size(); ++i) {
      CAPTURE(i);
      opened->log.stage(steps[i].effects);
      // What is staged is not there yet.
      if (i > 0) check_reads(opened->log, steps[i - 1].state.history);
      REQUIRE(error_of(opened->log.commit()) == "");
      if (i % 3 == 0) REQUIRE(error_of(opened->log.mark()) == "");
      if (i % 4 == 0) REQUIRE(error_of(opened->log.prepare()) == "");
      if (reopened) {
        { const Log closing = std::move(opened->log); }
        opened = open(disk);
        REQUIRE(error_of(opened) == "");
      }
      check_reads(opened->log, steps[i].state.history);
    }
  }
}

TEST_CASE("a long history is read from near the place, not from the beginning") {
  SimFileSystem disk(1);
  Life life;
  life.accept(1, 1);
  life.adopt(1, {}, 3000, 1000);  // in one commit
  auto opened = open(disk, LogOptions{});
  REQUIRE(error_of(opened) == "");
  REQUIRE(error_of(commit(opened->log, life)) == "");
  for (int i = 0; i < 30; ++i) {
    life.append(100, 1000);
    REQUIRE(error_of(commit(opened->log, life)) == "");
  }
  for (const bool reopened : {false, true}) {
    CAPTURE(reopened);
    if (reopened) {
      { const Log closing = std::move(opened->log); }
      opened = open(disk, LogOptions{});
      REQUIRE(error_of(opened) == "");
    }
    const zab::History& history = life.state().history;
    for (std::uint64_t counter = 1; counter < 6000; counter += 501) {
      CAPTURE(counter);
      const zab::Point after = history.last_at_or_before({{1}, counter});
      const std::uint64_t before = disk.operations();
      const auto read = opened->log.read_after(after, 10'000);
      REQUIRE(error_of(read) == "");
      REQUIRE(read->has_value());
      CHECK(words(**read) == expected(history, after, 10'000));
      CHECK(disk.operations() - before <= 6);  // open, size, header, one or two pieces
    }
  }
}

TEST_CASE("a record that does not hold any more is an error with its place") {
  const std::vector<Step> steps = whole_life();
  SimFileSystem disk(1);
  auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  for (const Step& step : steps) {
    opened->log.stage(step.effects);
    REQUIRE(error_of(opened->log.commit()) == "");
  }
  std::string contents = disk.contents(path_of(1));
  const std::size_t at = contents.find("payload 2 ");
  REQUIRE(at != std::string::npos);
  SUBCASE("payload") { contents[at] = 'P'; }
  SUBCASE("header") { contents[at - 50] ^= 1; }
  SUBCASE("cut off") { contents.resize(at); }
  SUBCASE("another record, intact") {
    const std::uint64_t begin = at - record_header_bytes;
    const RecordLocation place{key_of(*decode_header(contents)), begin};
    const auto header = decode_record_header(std::string_view(contents).substr(begin), place);
    REQUIRE(header.has_value());
    wire::Bytes other;
    append_record(other, RecordType::txn, header->point, contents.substr(at + 1, 700),
                  {header->commit, true, place});
    contents.replace(begin, other.size(), other);
  }
  disk.plant(path_of(1), contents);
  const std::string error = error_of(opened->log.read_after({}, 1 << 20));
  CAPTURE(error);
  CHECK(mentions(error, path_of(1) + ": offset "));
  // The rest can be read, and the log written to.
  const zab::Point after = steps.back().state.history.last_at_or_before({{3}, 2});
  CHECK(error_of(opened->log.read_after(after, 1 << 20)) == "");
  CHECK(error_of(opened->log.mark()) == "");
}

TEST_CASE("of a history that the checkpoint covers, recovery gives back no more than asked for") {
  SimFileSystem disk(1);
  Life life;
  life.accept(1, 1);
  life.adopt(1);
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    for (int i = 0; i < 40; ++i) {
      life.append(1, 1000);
      REQUIRE(error_of(commit(opened->log, life)) == "");
    }
    // What epoch 1 left uncommitted is before the checkpoint, by its zxid.
    life.accept(2, 1);
    life.adopt(2, {{1}, 35}, 10, 1000);
    REQUIRE(error_of(commit(opened->log, life)) == "");
  }
  const zab::History& history = life.state().history;
  struct Row {
    zab::Zxid applied;
    std::uint64_t history_bytes;
    std::size_t left;
  };
  for (const Row& row : {
           Row{{}, 0, 45},
           Row{{{1}, 30}, 0, 15},
           Row{{{1}, 30}, 20'000, 20},
           Row{{{1}, 30}, 1 << 20, 45},
           Row{{{2}, 1}, 0, 9},
           Row{{{2}, 10}, 0, 0},
           Row{{{2}, 10}, 3000, 3},
       }) {
    CAPTURE(wire::to_string(row.applied));
    CAPTURE(row.history_bytes);
    LogOptions options = small;
    options.history_bytes = row.history_bytes;
    auto opened = open(disk, history.last_at_or_before(row.applied), options);
    REQUIRE(error_of(opened) == "");
    CHECK_FALSE(opened->recovered.damaged.has_value());
    CHECK(opened->recovered.history.size() == row.left);
    CHECK(opened->recovered.history.last() == history.last());
    CHECK(opened->recovered.history.base().zxid <= row.applied);
    CHECK(opened->log.begin() == zab::Point{});
    check_reads(opened->log, history);
  }
}

// --- Snapshots ---

TEST_CASE("an adopted snapshot is where the history begins, and the checkpoint has to be there") {
  SimFileSystem disk(1);
  Life life;
  life.accept(1, 1);
  life.adopt(1);
  life.append(20, 700);
  const zab::Point taken{{{2}, 50}, {3, 4}};
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    REQUIRE(error_of(commit(opened->log, life)) == "");
    life.accept(3, 2);
    life.adopt_snapshot(3, taken, 3, 700);
    REQUIRE(error_of(commit(opened->log, life)) == "");
    life.append(20, 700);
    REQUIRE(error_of(commit(opened->log, life)) == "");
    CHECK(opened->log.begin() == taken);
    CHECK_FALSE(opened->log.read_after({{{1}, 20}, {}}, 1000)->has_value());
    check_reads(opened->log, life.state().history);
  }
  const zab::History& history = life.state().history;
  for (const zab::Point& older : {zab::Point{}, zab::Point{{{1}, 5}, {}}}) {
    const auto refused = open(disk, older);
    REQUIRE(refused.has_error());
    CHECK(refused.error().reason == OpenError::Reason::snapshot_missing);
    CHECK(refused.error().message ==
          "/data/log: the snapshot at 2:50 was adopted, but the checkpoint is at " +
              wire::to_string(older.zxid) + ". Nothing was changed");
  }
  const auto adopted = Log::adopted_snapshot(disk, directory, self);
  REQUIRE(error_of(adopted) == "");
  CHECK(*adopted == taken);
  for (const zab::Point& applied : {taken, history.last_at_or_before({{3}, 7}), history.last()}) {
    auto opened = open(disk, applied);
    REQUIRE(error_of(opened) == "");
    CHECK_FALSE(opened->recovered.damaged.has_value());
    CHECK(test::words(opened->recovered) == test::words(life.state()));
    CHECK(opened->log.begin() == taken);
    check_reads(opened->log, history);
  }
}

TEST_CASE("an adopted snapshot mends") {
  const std::vector<Step> steps = whole_life();
  SimFileSystem disk(1);
  REQUIRE(carry_out(disk, steps) == steps.size());
  disk.lose(path_of(3));
  CHECK_FALSE(Log::adopted_snapshot(disk, directory, self)->has_value());
  const zab::Point taken{{{6}, 2}, {3, 4}};
  zab::Durable then;
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    Life life(opened->recovered);
    life.accept(7, 1);
    life.adopt_snapshot(7, taken, 0, 0);
    REQUIRE(error_of(commit(opened->log, life)) == "");
    life.append(2, 10);
    REQUIRE(error_of(commit(opened->log, life)) == "");
    then = life.state();
  }
  CHECK(open(disk).error().reason == OpenError::Reason::snapshot_missing);
  CHECK(**Log::adopted_snapshot(disk, directory, self) == taken);
  auto opened = open(disk, taken);
  REQUIRE(error_of(opened) == "");
  CHECK(test::words(opened->recovered) == test::words(then));
  check_reads(opened->log, then.history);
}

TEST_CASE("an adopted snapshot that is lost is damage, and a leader's history mends it") {
  const zab::Point taken{{{2}, 50}, {3, 4}};
  SimFileSystem disk(1);
  Life life;
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    life.accept(2, 1);
    life.adopt_snapshot(2, taken, 3, 700);
    REQUIRE(error_of(commit(opened->log, life)) == "");
    life.append(20, 700);
    REQUIRE(error_of(commit(opened->log, life)) == "");
  }
  REQUIRE(open(disk).error().reason == OpenError::Reason::snapshot_missing);
  zab::Durable then;
  {
    auto opened = Log::open(disk, directory, self, {}, small, AdoptedSnapshot::lost);
    REQUIRE(error_of(opened) == "");
    CHECK(mentions(opened->report, "the snapshot at 2:50 was adopted, and is lost"));
    CHECK(mentions(opened->report, "does not vote"));
    CHECK(opened->recovered.damaged == zab::Claim{{2}, life.state().history.last().zxid});
    CHECK(opened->recovered.accepted_epoch == zab::Epoch{2});
    CHECK(opened->recovered.history.last() == zab::Point{});
    Life repaired(opened->recovered);
    repaired.accept(3, 2);
    repaired.adopt(3, {}, 4, 10);
    REQUIRE(error_of(commit(opened->log, repaired)) == "");
    then = repaired.state();
  }
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(test::words(opened->recovered) == test::words(then));
}

TEST_CASE("of a directory without a log no snapshot was adopted") {
  SimFileSystem disk(1);
  const auto adopted = Log::adopted_snapshot(disk, directory, self);
  REQUIRE(error_of(adopted) == "");
  CHECK_FALSE(adopted->has_value());
}

}  // namespace
}  // namespace storage::test
