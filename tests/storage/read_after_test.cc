#include <doctest/doctest.h>

#include "server/storage/format/record.h"
#include "tests/storage/script.h"

// Log::read_after reads a learner's diff from the log: nothing that is void, and without a gap.
namespace storage::test {
namespace {

using sim::SimFileSystem;

// A stretch as text.
std::string text_of(const Stretch& stretch) {
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
  return text_of(stretch);
}

// Checks that every read returns what the history in memory has.
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
        CHECK(text_of(**read) == expected(history, point, max_bytes));
      }
    }
  }
}

TEST_CASE("after every commit, every part of the history can be read, and nothing else") {
  const std::vector<Step> steps = full_script();
  for (const bool reopened : {false, true}) {
    CAPTURE(reopened);
    SimFileSystem disk(1);
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    for (std::size_t i = 0; i < steps.size(); ++i) {
      CAPTURE(i);
      opened->log.stage(steps[i].effects);
      // Staged effects cannot be read yet.
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

TEST_CASE("a read begins near the wanted txn, not at the beginning of the log") {
  SimFileSystem disk(1);
  Script script;
  script.accept(1, 1);
  script.adopt(1, {}, 3000, 1000);  // in one commit
  auto opened = open(disk, LogOptions{});
  REQUIRE(error_of(opened) == "");
  REQUIRE(error_of(commit(opened->log, script)) == "");
  for (int i = 0; i < 30; ++i) {
    script.append(100, 1000);
    REQUIRE(error_of(commit(opened->log, script)) == "");
  }
  for (const bool reopened : {false, true}) {
    CAPTURE(reopened);
    if (reopened) {
      { const Log closing = std::move(opened->log); }
      opened = open(disk, LogOptions{});
      REQUIRE(error_of(opened) == "");
    }
    const zab::History& history = script.state().history;
    for (std::uint64_t counter = 1; counter < 6000; counter += 501) {
      CAPTURE(counter);
      const zab::Point after = history.last_at_or_before({{1}, counter});
      const std::uint64_t before = disk.operations();
      const auto read = opened->log.read_after(after, 10'000);
      REQUIRE(error_of(read) == "");
      REQUIRE(read->has_value());
      CHECK(text_of(**read) == expected(history, after, 10'000));
      CHECK(disk.operations() - before <= 6);  // open, size, header, one or two windows
    }
  }
}

TEST_CASE("a read of a damaged record is an error with its file and offset") {
  const std::vector<Step> steps = full_script();
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
  // The rest of the history can be read, and the log can be written to.
  const zab::Point after = steps.back().state.history.last_at_or_before({{3}, 2});
  CHECK(error_of(opened->log.read_after(after, 1 << 20)) == "");
  CHECK(error_of(opened->log.mark()) == "");
}

TEST_CASE("recovery keeps at most history_bytes of the history that the checkpoint covers") {
  SimFileSystem disk(1);
  Script script;
  script.accept(1, 1);
  script.adopt(1);
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    for (int i = 0; i < 40; ++i) {
      script.append(1, 1000);
      REQUIRE(error_of(commit(opened->log, script)) == "");
    }
    // By its zxid, the end of epoch 1 that this truncates is before the checkpoint.
    script.accept(2, 1);
    script.adopt(2, {{1}, 35}, 10, 1000);
    REQUIRE(error_of(commit(opened->log, script)) == "");
  }
  const zab::History& history = script.state().history;
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

TEST_CASE("the history begins at an adopted snapshot, and the checkpoint must not be older") {
  SimFileSystem disk(1);
  Script script;
  script.accept(1, 1);
  script.adopt(1);
  script.append(20, 700);
  const zab::Point taken{{{2}, 50}, {3, 4}};
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    REQUIRE(error_of(commit(opened->log, script)) == "");
    script.accept(3, 2);
    script.adopt_snapshot(3, taken, 3, 700);
    REQUIRE(error_of(commit(opened->log, script)) == "");
    script.append(20, 700);
    REQUIRE(error_of(commit(opened->log, script)) == "");
    CHECK(opened->log.begin() == taken);
    CHECK_FALSE(opened->log.read_after({{{1}, 20}, {}}, 1000)->has_value());
    check_reads(opened->log, script.state().history);
  }
  const zab::History& history = script.state().history;
  for (const zab::Point& older : {zab::Point{}, zab::Point{{{1}, 5}, {}}}) {
    const auto refused = open(disk, older);
    REQUIRE(refused.has_error());
    CHECK(refused.error().reason == OpenError::Reason::snapshot_missing);
    CHECK(refused.error().message ==
          "/data/log: the log adopted a snapshot at 2:50, but the checkpoint is at " +
              wire::to_string(older.zxid) + ". Nothing was changed");
  }
  const auto adopted = Log::adopted_snapshot(disk, directory, self);
  REQUIRE(error_of(adopted) == "");
  CHECK(*adopted == taken);
  for (const zab::Point& applied : {taken, history.last_at_or_before({{3}, 7}), history.last()}) {
    auto opened = open(disk, applied);
    REQUIRE(error_of(opened) == "");
    CHECK_FALSE(opened->recovered.damaged.has_value());
    CHECK(describe(opened->recovered) == describe(script.state()));
    CHECK(opened->log.begin() == taken);
    check_reads(opened->log, history);
  }
}

TEST_CASE("an adopted snapshot mends a damaged log") {
  const std::vector<Step> steps = full_script();
  SimFileSystem disk(1);
  REQUIRE(run_steps(disk, steps) == steps.size());
  disk.lose(path_of(3));
  CHECK_FALSE(Log::adopted_snapshot(disk, directory, self)->has_value());
  const zab::Point taken{{{6}, 2}, {3, 4}};
  zab::Durable then;
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    Script script(opened->recovered);
    script.accept(7, 1);
    script.adopt_snapshot(7, taken, 0, 0);
    REQUIRE(error_of(commit(opened->log, script)) == "");
    script.append(2, 10);
    REQUIRE(error_of(commit(opened->log, script)) == "");
    then = script.state();
  }
  CHECK(open(disk).error().reason == OpenError::Reason::snapshot_missing);
  CHECK(**Log::adopted_snapshot(disk, directory, self) == taken);
  auto opened = open(disk, taken);
  REQUIRE(error_of(opened) == "");
  CHECK(describe(opened->recovered) == describe(then));
  check_reads(opened->log, then.history);
}

TEST_CASE("the loss of an adopted snapshot is damage, and a leader's history mends it") {
  const zab::Point taken{{{2}, 50}, {3, 4}};
  SimFileSystem disk(1);
  Script script;
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    script.accept(2, 1);
    script.adopt_snapshot(2, taken, 3, 700);
    REQUIRE(error_of(commit(opened->log, script)) == "");
    script.append(20, 700);
    REQUIRE(error_of(commit(opened->log, script)) == "");
  }
  REQUIRE(open(disk).error().reason == OpenError::Reason::snapshot_missing);
  zab::Durable then;
  {
    auto opened = Log::open(disk, directory, self, {}, small, AdoptedSnapshot::lost);
    REQUIRE(error_of(opened) == "");
    CHECK(mentions(opened->report, "the log adopted a snapshot at 2:50, which is lost"));
    CHECK(mentions(opened->report, "does not vote"));
    CHECK(opened->recovered.damaged == zab::Claim{{2}, script.state().history.last().zxid});
    CHECK(opened->recovered.accepted_epoch == zab::Epoch{2});
    CHECK(opened->recovered.history.last() == zab::Point{});
    Script repaired(opened->recovered);
    repaired.accept(3, 2);
    repaired.adopt(3, {}, 4, 10);
    REQUIRE(error_of(commit(opened->log, repaired)) == "");
    then = repaired.state();
  }
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(describe(opened->recovered) == describe(then));
}

TEST_CASE("an empty directory has no adopted snapshot") {
  SimFileSystem disk(1);
  const auto adopted = Log::adopted_snapshot(disk, directory, self);
  REQUIRE(error_of(adopted) == "");
  CHECK_FALSE(adopted->has_value());
}

}  // namespace
}  // namespace storage::test
