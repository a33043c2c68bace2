#include <algorithm>
#include <map>

#include <doctest/doctest.h>

#include "tests/storage/script.h"

// Damage to what was durable, not by a crash: bits, octets, files that are not what they were.
namespace storage::test {
namespace {

using sim::SimFileSystem;

std::string path_of(std::uint64_t sequence) { return directory + '/' + segment_name(sequence); }

// The files of a log that was closed in peace.
std::map<std::string, std::string> files_after(const std::vector<Step>& steps) {
  SimFileSystem disk(1);
  REQUIRE(carry_out(disk, steps) == steps.size());
  std::map<std::string, std::string> files;
  for (const std::string& path : disk.paths()) files[path] = disk.contents(path);
  return files;
}

void plant(SimFileSystem& disk, const std::map<std::string, std::string>& files) {
  for (const auto& [path, contents] : files) disk.plant(path, contents);
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
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

// A log of one segment: three commits, the last of two records.
std::vector<Step> short_life() {
  Life life;
  std::vector<Step> steps;
  const auto commit = [&] {
    auto effects = life.take();
    steps.push_back({std::move(effects), words(life.state())});
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

TEST_CASE("every octet of a log is watched") {
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
      if (at < last_commit) {
        CHECK(mentions(error_of(opened), path));
        CHECK((disk.contents(path) == damaged));
      } else if (at < records_end) {
        REQUIRE(error_of(opened) == "");
        CHECK(words(opened->recovered) == steps[1].after);
        CHECK(mentions(opened->report, "dropped"));
      } else {
        // Something where there should be nothing: the rest of a write that a crash cut short.
        REQUIRE(error_of(opened) == "");
        CHECK(words(opened->recovered) == steps[2].after);
        CHECK((disk.contents(path) == contents));
      }
    }
  }
}

TEST_CASE("damage before an intact record is refused, with its place") {
  const std::vector<Step> steps = whole_life();
  const auto files = files_after(steps);
  REQUIRE(files.size() > 4);
  const std::string last = files.rbegin()->first;
  for (const auto& file : files) {
    const std::string& path = file.first;
    const std::string& contents = file.second;
    const std::uint64_t records_end = contents.find_last_not_of('\0') + 1;
    for (std::uint64_t at = header_bytes; at < records_end; at += 61) {
      CAPTURE(path);
      CAPTURE(at);
      std::string damaged = contents;
      damaged[at] = static_cast<char>(damaged[at] ^ 4);
      SimFileSystem disk(at);
      plant(disk, files);
      disk.plant(path, damaged);
      const auto opened = open(disk);
      if (path != last || !opened) {
        CHECK(mentions(error_of(opened), path + ": "));
        CHECK(mentions(error_of(opened), "offset "));
        CHECK((disk.contents(path) == damaged));
      } else {
        CHECK(words(opened->recovered) == steps[steps.size() - 2].after);
      }
    }
  }
}

TEST_CASE("a missing segment is refused, whichever it is") {
  const auto files = files_after(whole_life());
  REQUIRE(files.size() > 4);
  for (std::uint64_t sequence = 1; sequence <= files.size(); ++sequence) {
    CAPTURE(sequence);
    auto rest = files;
    rest.erase(path_of(sequence));
    SimFileSystem disk(sequence);
    plant(disk, rest);
    check_refused(disk, rest, path_of(sequence) + ": is missing");
  }
}

TEST_CASE("a segment that lost its end is refused where another follows") {
  const auto files = files_after(whole_life());
  for (std::uint64_t sequence = 1; sequence < files.size(); ++sequence) {
    const std::string path = path_of(sequence);
    const std::uint64_t records_end = files.at(path).find_last_not_of('\0') + 1;
    for (std::uint64_t length = 0; length < records_end; length += 97) {
      CAPTURE(path);
      CAPTURE(length);
      auto rest = files;
      SUBCASE("cut off") { rest[path].resize(length); }
      SUBCASE("zeroed") {
        std::ranges::fill(rest[path].begin() + static_cast<std::ptrdiff_t>(length),
                          rest[path].end(), '\0');
      }
      SimFileSystem disk(length);
      plant(disk, rest);
      check_refused(disk, rest, path);
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
    if (length < header_bytes) {
      CHECK(mentions(error_of(opened), path));
      continue;
    }
    REQUIRE(error_of(opened) == "");
    const std::string is = words(opened->recovered);
    CHECK(
        (is == words({}) || is == steps[0].after || is == steps[1].after || is == steps[2].after));
  }
}

TEST_CASE("segments that changed places, or stand there twice, are refused") {
  const auto files = files_after(whole_life());
  for (std::uint64_t sequence = 1; sequence < files.size(); ++sequence) {
    CAPTURE(sequence);
    auto mixed = files;
    mixed[path_of(sequence + 1)] = files.at(path_of(sequence));
    SimFileSystem disk(sequence);
    plant(disk, mixed);
    check_refused(disk, mixed, "contains segment " + std::to_string(sequence));
  }
}

TEST_CASE("a record that is written to the wrong place does not count there") {
  const auto files = files_after(whole_life());
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
  check_refused(disk, mixed, ": ");
}

TEST_CASE("nothing stands behind a seal") {
  auto files = files_after(whole_life());
  std::string& contents = files[path_of(1)];
  contents.resize((contents.find_last_not_of('\0') / 8 + 2) * 8, '\0');
  contents.back() = 'x';
  SimFileSystem disk(1);
  plant(disk, files);
  check_refused(disk, files, "something stands behind the seal");
}

// Octets of another life of the same server, in their right place and with the right checksums.
TEST_CASE("intact records of the wrong commit are refused") {
  const SegmentHeader header{self, 1, 1, {}};
  std::string contents = encode(header);
  const auto add = [&](std::uint64_t commit, std::uint32_t epoch) {
    wire::Bytes records;
    append_record(records, RecordType::accept_epoch, {}, encode(zab::AcceptEpoch{{epoch}, {1}}));
    stamp(records, commit, {key_of(header), contents.size()});
    contents += records;
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
    check_refused(disk, {{path_of(1), contents}}, " where 3 belongs");
  }
}

TEST_CASE("a segment that begins where the one before it does not end is refused") {
  Life life;
  life.accept(1, 1);
  SimFileSystem disk(1);
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    opened->log.stage(life.take());
    REQUIRE(error_of(opened->log.commit()) == "");
  }
  // A crash between a segment's birth and the seal of the one before it leaves exactly this.
  SegmentHeader next{self, 2, 3, tip_of(life.state())};
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
    CHECK(words(opened->recovered) == words(life.state()));
    return;
  }
  const std::map<std::string, std::string> files{{path_of(1), disk.contents(path_of(1))},
                                                 {path_of(2), disk.contents(path_of(2))}};
  check_refused(disk, files, "log.0000000000000002 goes on with commit");
}

TEST_CASE("another server's log is refused, and so is another cluster's") {
  SimFileSystem disk(1);
  REQUIRE(carry_out(disk, short_life()) == 3);
  Identity other = self;
  std::string words;
  SUBCASE("server") {
    other.server = {2};
    words = "belongs to server 1 of cluster 01020300000000000000000000000000, and this is server 2";
  }
  SUBCASE("cluster") {
    other.cluster[15] = 0xff;
    words = "this is server 1 of cluster 010203000000000000000000000000ff";
  }
  const std::string before = disk.contents(path_of(1));
  const std::string error = error_of(Log::open(disk, directory, other, small));
  CAPTURE(error);
  CHECK(mentions(error, words));
  CHECK((disk.contents(path_of(1)) == before));
}

TEST_CASE("a later format is not called damaged") {
  auto files = files_after(short_life());
  files.begin()->second[8] = 2;
  SimFileSystem disk(1);
  plant(disk, files);
  check_refused(disk, files, "format version 2");
}

TEST_CASE("a file that cannot be read is an error, not an end") {
  const std::vector<Step> steps = whole_life();
  const auto files = files_after(steps);
  SimFileSystem whole(1);
  plant(whole, files);
  REQUIRE(error_of(open(whole)) == "");
  for (std::uint64_t at = 0; at < whole.operations(); ++at) {
    CAPTURE(at);
    SimFileSystem disk(1);
    plant(disk, files);
    disk.fail_at(at, sim::Fault::io_error);
    CHECK(mentions(error_of(open(disk)), "Input/output error"));
    disk.kill();
    const auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    CHECK(words(opened->recovered) == steps.back().after);
  }
}

// ZOOKEEPER-1489: what was truncated, or dropped, stays away, whatever comes after it and wherever
// its octets still lie.
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
