#include <algorithm>
#include <cstring>
#include <map>
#include <xxhash.h>

#include <doctest/doctest.h>

#include "tests/storage/script.h"

// Damage to what was durable, not by a crash: bits, bytes, files that are not what they were.
namespace storage::test {
namespace {

using sim::SimFileSystem;

// The files of a log that was closed in peace, without the extent: what the log itself can tell.
std::map<std::string, std::string> files_after(const std::vector<Step>& steps) {
  SimFileSystem disk(1);
  REQUIRE(carry_out(disk, steps) == steps.size());
  std::map<std::string, std::string> files;
  for (const std::string& path : disk.paths()) files[path] = disk.contents(path);
  files.erase(witness_path);
  return files;
}

void plant(SimFileSystem& disk, const std::map<std::string, std::string>& files) {
  for (const auto& [path, contents] : files) disk.plant(path, contents);
}

// A refusal must leave everything as it was.
void check_refused(SimFileSystem& disk, const std::map<std::string, std::string>& files,
                   const std::string& words) {
  const auto opened = open(disk);
  const std::string error = error_of(opened);
  CAPTURE(error);
  CHECK(mentions(error, words));
  for (const auto& [path, contents] : files) CHECK((disk.contents(path) == contents));
}

// What is opened damaged is a state that the log was in, with everything that is claimed beyond it
// true; and the disk is as it was. Returns how many commits of `steps` were kept.
std::size_t check_damaged(SimFileSystem& disk, const std::map<std::string, std::string>& files,
                          const std::vector<Step>& steps, const std::string& what) {
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CAPTURE(opened->report);
  CHECK(mentions(opened->report, what));
  CHECK(mentions(opened->report, "does not vote"));
  for (const auto& [path, contents] : files) CHECK((disk.contents(path) == contents));

  const zab::Durable& is = opened->recovered;
  REQUIRE(is.damaged.has_value());
  const zab::Durable& end = steps.back().state;
  CHECK(*is.damaged >= zab::Claim{is.current_epoch, is.history.last().zxid});
  CHECK(is.damaged->current_epoch <= end.current_epoch);
  CHECK(is.accepted_epoch <= end.accepted_epoch);
  CHECK(is.current_epoch <= is.accepted_epoch);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].state.history.last() == is.history.last()) kept = i + 1;
  }
  CHECK((kept > 0 || is.history.last() == zab::Point{}));
  return kept;
}

// A log of one segment: three commits, the last of two records.
std::vector<Step> short_life() {
  Life life;
  std::vector<Step> steps;
  const auto commit = [&] {
    auto effects = life.take();
    steps.push_back({std::move(effects), words(life.state()), life.state()});
  };
  life.accept(1, 1);
  life.adopt(1);
  commit();
  life.append(1, 20);
  commit();
  life.append(1, 3);
  life.accept(2, 3);
  commit();
  return steps;
}

TEST_CASE("every byte of a log is watched") {
  const std::vector<Step> steps = short_life();
  const auto files = files_after(steps);
  REQUIRE(files.size() == 1);
  const auto& [path, contents] = *files.begin();
  const std::uint64_t records_end = (contents.find_last_not_of('\0') / 8 + 1) * 8;
  // The last commit is all that a crash may have torn: an accept_epoch behind a txn.
  const std::uint64_t last_commit =
      records_end - record_bytes(encode(zab::AcceptEpoch{}).size()) - record_bytes(3);
  for (std::uint64_t at = 0; at < contents.size(); ++at) {
    for (const char mask : {'\x01', '\x80', '\xff'}) {
      CAPTURE(at);
      std::string damaged = contents;
      damaged[at] = static_cast<char>(damaged[at] ^ mask);
      SimFileSystem disk(at);
      disk.plant(path, damaged);
      const auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      if (at < last_commit) {
        CHECK(mentions(opened->report, path));
        CHECK(opened->recovered.damaged.has_value());
        CHECK((disk.contents(path) == damaged));
      } else if (at < records_end) {
        CHECK(words(opened->recovered) == steps[1].after);
        CHECK(mentions(opened->report, "dropped"));
      } else {
        // Something where there should be nothing: the rest of a write that a crash cut short.
        CHECK(words(opened->recovered) == steps[2].after);
        CHECK((disk.contents(path) == contents));
      }
    }
  }
}

TEST_CASE("damage before an intact record is told from a crash, with its place") {
  const std::vector<Step> steps = whole_life();
  const auto files = files_after(steps);
  REQUIRE(files.size() > 4);
  const std::string last = files.rbegin()->first;
  for (const auto& [path, contents] : files) {
    const std::uint64_t records_end = contents.find_last_not_of('\0') + 1;
    std::size_t kept = 0;
    for (std::uint64_t at = header_bytes; at < records_end; at += 61) {
      CAPTURE(path);
      CAPTURE(at);
      auto damaged = files;
      damaged[path][at] = static_cast<char>(damaged[path][at] ^ 4);
      SimFileSystem disk(at);
      plant(disk, damaged);
      const auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      if (path == last && !opened->recovered.damaged) {
        CHECK(words(opened->recovered) == steps[steps.size() - 2].after);
        continue;
      }
      SimFileSystem again(at);
      plant(again, damaged);
      const std::size_t now = check_damaged(again, damaged, steps, path + ": offset ");
      CHECK(now >= kept);
      kept = now;
      // What lies behind shows how far it went, but for its own last commit.
      if (path != last) {
        CHECK(opened->recovered.accepted_epoch == zab::Epoch{4});
        CHECK(*opened->recovered.damaged == zab::Claim{{4}, {{4}, 8}});
        CHECK(opened->recovered.cluster == cluster);
        CHECK(opened->recovered.founded);
      }
    }
  }
}

TEST_CASE("a missing segment is damage, whichever it is") {
  const std::vector<Step> steps = whole_life();
  const auto files = files_after(steps);
  REQUIRE(files.size() > 4);
  for (std::uint64_t sequence = 1; sequence <= files.size(); ++sequence) {
    CAPTURE(sequence);
    auto rest = files;
    rest.erase(path_of(sequence));
    SimFileSystem disk(sequence);
    plant(disk, rest);
    const bool between = sequence > 1 && sequence < files.size();
    check_damaged(disk, rest, steps, between ? path_of(sequence) + ": is missing" : "missing");
  }
}

TEST_CASE("a segment that lost its end is damage where another follows") {
  const std::vector<Step> steps = whole_life();
  const auto files = files_after(steps);
  for (std::uint64_t sequence = 1; sequence < files.size(); ++sequence) {
    const std::string path = path_of(sequence);
    const std::uint64_t records_end = files.at(path).find_last_not_of('\0') + 1;
    for (std::uint64_t length = 0; length < records_end; length += 97) {
      for (const bool zeroed : {false, true}) {
        CAPTURE(path);
        CAPTURE(length);
        auto rest = files;
        if (zeroed) {
          std::ranges::fill(rest[path].begin() + static_cast<std::ptrdiff_t>(length),
                            rest[path].end(), '\0');
        } else {
          rest[path].resize(length);
        }
        SimFileSystem disk(length);
        plant(disk, rest);
        check_damaged(disk, rest, steps, path);
      }
    }
  }
}

TEST_CASE("the last segment may lose its end, but not its header") {
  const std::vector<Step> steps = short_life();
  const auto files = files_after(steps);
  const auto& [path, contents] = *files.begin();
  for (std::uint64_t length = 0; length < contents.size(); length += 5) {
    CAPTURE(length);
    SimFileSystem disk(length);
    disk.plant(path, contents.substr(0, length));
    const auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    CHECK(opened->recovered.damaged.has_value() == (length < header_bytes));
    if (length < header_bytes) {
      CHECK(mentions(opened->report, path));
      continue;
    }
    const std::string is = words(opened->recovered);
    CHECK(
        (is == words({}) || is == steps[0].after || is == steps[1].after || is == steps[2].after));
  }
}

TEST_CASE("segments that changed places, or stand there twice, are damage") {
  const std::vector<Step> steps = whole_life();
  const auto files = files_after(steps);
  for (std::uint64_t sequence = 1; sequence < files.size(); ++sequence) {
    CAPTURE(sequence);
    auto mixed = files;
    mixed[path_of(sequence + 1)] = files.at(path_of(sequence));
    SimFileSystem disk(sequence);
    plant(disk, mixed);
    check_damaged(disk, mixed, steps, "contains segment " + std::to_string(sequence));
  }
}

TEST_CASE("a record that is written to the wrong place does not count there") {
  const std::vector<Step> steps = whole_life();
  const auto files = files_after(steps);
  const std::string first = path_of(1);
  const std::string second = path_of(2);
  auto mixed = files;
  // The same offset of another segment; then another offset of the same.
  SUBCASE("another segment") {
    mixed[second].replace(header_bytes, 400, files.at(first), header_bytes, 400);
  }
  SUBCASE("another offset") {
    mixed[first].replace(header_bytes + 64, 72, files.at(first), header_bytes, 72);
  }
  SimFileSystem disk(1);
  plant(disk, mixed);
  check_damaged(disk, mixed, steps, "offset ");
}

TEST_CASE("no record stands behind a seal, but anything else may") {
  const std::vector<Step> steps = whole_life();
  auto files = files_after(steps);
  std::string& contents = files[path_of(1)];
  const std::uint64_t end = (contents.find_last_not_of('\0') / 8 + 1) * 8;
  contents.resize(end + 200, 'x');
  SimFileSystem disk(1);
  SUBCASE("bytes") {
    plant(disk, files);
    const auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    CHECK(words(opened->recovered) == steps.back().after);
  }
  SUBCASE("a record") {
    wire::Bytes record;
    append_record(record, RecordType::mark, {}, {},
                  {9, true, {key_of(*decode_header(contents)), end + 16}});
    contents.replace(end + 16, record.size(), record);
    plant(disk, files);
    check_damaged(disk, files, steps, "a record stands behind the seal");
  }
}

// Bytes of another life of the same server, in their right place and with the right checksums.
TEST_CASE("intact records of the wrong commit are damage") {
  const SegmentHeader header{self, 1, 1, {}, {}};
  std::string contents = encode(header);
  const auto add = [&](std::uint64_t commit, std::uint32_t epoch) {
    append_record(contents, RecordType::accept_epoch, {}, encode(zab::AcceptEpoch{{epoch}, {1}}),
                  {commit, true, {key_of(header), contents.size()}});
  };
  add(1, 1);
  add(2, 2);
  SUBCASE("as it should be") {}
  SUBCASE("a commit is missing") { add(4, 3); }
  SUBCASE("one is there twice") { add(2, 2); }
  SUBCASE("an older one") { add(1, 2); }
  SimFileSystem disk(1);
  disk.plant(path_of(1), contents);
  if (contents.size() == header_bytes + 2 * record_bytes(8)) {
    CHECK(error_of(open(disk)) == "");
  } else {
    Life life;
    life.accept(3, 1);
    check_damaged(disk, {{path_of(1), contents}}, {{{}, {}, life.state()}}, " where 3 belongs");
  }
}

TEST_CASE("an epoch that was adopted behind the damage counts, if no txn shows it either") {
  Life life;
  SimFileSystem disk(1);
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    life.accept(1, 1);
    REQUIRE(error_of(commit(opened->log, life)) == "");
    life.accept(3, 2);
    life.adopt(3);
    life.found();
    REQUIRE(error_of(commit(opened->log, life)) == "");
  }
  disk.lose(witness_path);
  std::string contents = disk.contents(path_of(1));
  contents[header_bytes] ^= 1;
  disk.plant(path_of(1), contents);
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(opened->recovered.damaged == zab::Claim{{3}, {}});
  CHECK(opened->recovered.current_epoch == zab::Epoch{3});
  CHECK(opened->recovered.accepted_epoch == zab::Epoch{3});
  CHECK(opened->recovered.accepted_leader == zab::ServerId{2});
  // Of which cluster is not known: the record that said so may have been followed by another.
  CHECK_FALSE(opened->recovered.founded);
}

TEST_CASE("of a commit with a record that cannot be nothing is kept") {
  const SegmentHeader header{self, 1, 1, {}, {}};
  const zab::Point first{{{1}, 1}, zab::chain({}, {{1}, 1}, zab::content_hash("a"))};
  std::string contents = encode(header);
  const auto add = [&](RecordType type, zab::Point point, std::string_view payload,
                       std::uint64_t commit, bool ends) {
    append_record(contents, type, point, payload,
                  {commit, ends, {key_of(header), contents.size()}});
  };
  add(RecordType::accept_epoch, {}, encode(zab::AcceptEpoch{{1}, {1}}), 1, false);
  add(RecordType::adopt_history, {}, encode(Adoption{{1}, 0, cluster, false}), 1, true);
  add(RecordType::txn, first, "a", 2, false);
  add(RecordType::txn, first, "a", 2, true);
  SimFileSystem disk(1);
  disk.plant(path_of(1), contents);
  auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(mentions(opened->report, "cannot be: txn 1:1 after 1:1"));
  CHECK(opened->recovered.history.last() == zab::Point{});
  CHECK(opened->recovered.current_epoch == zab::Epoch{1});
  CHECK(opened->recovered.damaged == zab::Claim{{1}, {{1}, 1}});
  CHECK((*opened->log.read_after({}, 1000))->txns.empty());
}

TEST_CASE("a segment that begins where the one before it does not end is damage") {
  Life life;
  life.accept(1, 1);
  life.adopt(1);
  life.append(1, 10);
  SimFileSystem disk(1);
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    opened->log.stage(life.take());
    REQUIRE(error_of(opened->log.commit()) == "");
  }
  // A crash between a segment's birth and the seal of the one before it leaves exactly this.
  const zab::Durable& state = life.state();
  SegmentHeader next{self, 2, 3, {{1}, {1}, {1}, cluster, false, state.history.last(), {}}, {}};
  const SegmentHeader right = next;
  SUBCASE("as it should be") {}
  SUBCASE("another commit") { next.first_commit = 4; }
  SUBCASE("another epoch") { next.start.accepted_epoch = {2}; }
  SUBCASE("another leader") { next.start.accepted_leader = {2}; }
  SUBCASE("another history") { next.start.last.hash.high = 1; }
  disk.plant(path_of(2), encode(next));
  if (next == right) {
    const auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    CHECK(words(opened->recovered) == words(state));
    return;
  }
  const std::map<std::string, std::string> files{{path_of(1), disk.contents(path_of(1))},
                                                 {path_of(2), disk.contents(path_of(2))}};
  life.accept(2, 1);
  check_damaged(disk, files, {{{}, {}, life.state()}}, "log.0000000000000002 goes on with commit");
}

TEST_CASE("another server's log is refused") {
  SimFileSystem disk(1);
  REQUIRE(carry_out(disk, short_life()) == 3);
  const std::string before = disk.contents(path_of(1));
  const std::string error = error_of(Log::open(disk, directory, {2}, {}, small));
  CAPTURE(error);
  CHECK(mentions(error, path_of(1) + " belongs to server 1, and this is server 2"));
  CHECK((disk.contents(path_of(1)) == before));
}

TEST_CASE("another format is not called damaged, unless its header is") {
  const std::vector<Step> steps = short_life();
  auto files = files_after(steps);
  std::string& contents = files.begin()->second;
  contents[8] = 4;
  SimFileSystem disk(1);
  SUBCASE("another format") {
    contents[100] = 1;
    const std::uint64_t checksum = XXH3_64bits(contents.data(), 120);
    std::memcpy(contents.data() + 120, &checksum, sizeof(checksum));
    plant(disk, files);
    check_refused(disk, files, "format version 4; this program knows version 3 only");
  }
  SUBCASE("only the number") {
    plant(disk, files);
    check_damaged(disk, files, steps, "does not match its checksum");
  }
  SUBCASE("the number, and more") {
    for (std::size_t at = 4; at < 60; ++at) contents[at] ^= 21;
    contents.replace(0, 8, "zabklog\n");
    plant(disk, files);
    check_damaged(disk, files, steps, "does not match its checksum");
  }
}

TEST_CASE("a file that cannot be read is damage as long as it cannot, never an end") {
  const std::vector<Step> steps = whole_life();
  const auto files = files_after(steps);
  SimFileSystem whole(1);
  plant(whole, files);
  REQUIRE(error_of(open(whole)) == "");
  std::size_t damaged = 0;
  for (std::uint64_t at = 0; at < whole.operations(); ++at) {
    CAPTURE(at);
    SimFileSystem disk(1);
    plant(disk, files);
    disk.fail_at(at, sim::Fault::io_error);
    {
      const auto opened = open(disk);
      CHECK(mentions(opened ? opened->report : opened.error().message, "Input/output error"));
      if (opened) {
        CHECK(opened->recovered.damaged.has_value());
        ++damaged;
        for (const auto& [path, contents] : files) CHECK((disk.contents(path) == contents));
      }
    }
    disk.kill();
    const auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    CHECK(words(opened->recovered) == steps.back().after);
  }
  CHECK(damaged > 20);
}

// ZOOKEEPER-1489: what was truncated, or dropped, stays away, whatever comes after it and wherever
// its bytes still lie.
TEST_CASE("what was cut off never comes back") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    SimFileSystem disk(seed);
    Life life;
    life.accept(1, 1);
    life.adopt(1);
    life.append(2, 40);
    {
      auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      opened->log.stage(life.take());
      REQUIRE(error_of(opened->log.commit()) == "");
      // Many small records, none of which anybody was promised; some of them will reach the disk.
      Life lost = life;
      lost.append(12, 100);
      disk.fail_at(disk.operations() + 1, sim::Fault::power);
      opened->log.stage(lost.take());
      REQUIRE(error_of(opened->log.commit()) != "");
    }
    disk.power_cycle();
    bool kept = false;
    for (int round = 0; round < 3; ++round) {
      auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      if (round == 0) kept = opened->recovered.history.size() > 2;
      if (kept) break;  // all of it did
      CHECK(words(opened->recovered) == words(life.state()));
      // As long as one of those records when padded, so that the next one lies right behind.
      life.append(1, 101);
      opened->log.stage(life.take());
      REQUIRE(error_of(opened->log.commit()) == "");
      disk.power_cycle();
    }
  }
}

}  // namespace
}  // namespace storage::test
