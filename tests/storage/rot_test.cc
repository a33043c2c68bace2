#include <algorithm>
#include <cstring>
#include <xxhash.h>

#include <doctest/doctest.h>

#include "tests/storage/damaged_log.h"
#include "tests/storage/script.h"

// Bytes of a log that change after they were durable. A crash does not do that.
namespace storage::test {
namespace {

using sim::SimFileSystem;

// Checks that the log does not open, and that no file was changed.
void check_refused(SimFileSystem& disk, const Files& files, const std::string& what) {
  const auto opened = open(disk);
  const std::string error = error_of(opened);
  CAPTURE(error);
  CHECK(mentions(error, what));
  for (const auto& [path, contents] : files) CHECK((disk.contents(path) == contents));
}

TEST_CASE("a change of any byte of a log is detected") {
  const std::vector<Step> steps = short_script();
  const auto files = segments_after(steps);
  REQUIRE(files.size() == 1);
  const auto& [path, contents] = *files.begin();
  const std::uint64_t records_end = (contents.find_last_not_of('\0') / 8 + 1) * 8;
  // A crash may have torn only the last commit: a txn and an accept_epoch.
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
        CHECK(describe(opened->recovered) == steps[1].after);
        CHECK(mentions(opened->report, "dropped"));
      } else {
        // Bytes behind the records look like a write that a crash interrupted.
        CHECK(describe(opened->recovered) == steps[2].after);
        CHECK((disk.contents(path) == contents));
      }
    }
  }
}

TEST_CASE(
    "damage before an intact record is not taken for a crash, and is reported with its place") {
  const std::vector<Step> steps = full_script();
  const auto files = segments_after(steps);
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
        CHECK(describe(opened->recovered) == steps[steps.size() - 2].after);
        continue;
      }
      SimFileSystem again(at);
      plant(again, damaged);
      const std::size_t now = check_damaged(again, damaged, steps, path + ": offset ");
      CHECK(now >= kept);
      kept = now;
      // The intact segments behind it show how far the log reached.
      if (path != last) {
        CHECK(opened->recovered.accepted_epoch == zab::Epoch{4});
        CHECK(*opened->recovered.damaged == zab::Claim{{4}, {{4}, 8}});
        CHECK(opened->recovered.cluster == cluster);
        CHECK(opened->recovered.founded);
      }
    }
  }
}

TEST_CASE("a record at another place than its own is not valid") {
  const std::vector<Step> steps = full_script();
  const auto files = segments_after(steps);
  const std::string first = path_of(1);
  const std::string second = path_of(2);
  auto mixed = files;
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

TEST_CASE("a record after a seal is damage, but other bytes are not") {
  const std::vector<Step> steps = full_script();
  auto files = segments_after(steps);
  std::string& contents = files[path_of(1)];
  const std::uint64_t end = (contents.find_last_not_of('\0') / 8 + 1) * 8;
  contents.resize(end + 200, 'x');
  SimFileSystem disk(1);
  SUBCASE("bytes") {
    plant(disk, files);
    const auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    CHECK(describe(opened->recovered) == steps.back().after);
  }
  SUBCASE("a record") {
    wire::Bytes record;
    append_record(record, RecordType::mark, {}, {},
                  {9, true, {key_of(*decode_header(contents)), end + 16}});
    contents.replace(end + 16, record.size(), record);
    plant(disk, files);
    check_damaged(disk, files, steps, "there is a record behind the segment's seal");
  }
}

// The checksums and the place are right, as in a log that was restored from an older copy.
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
    Script script;
    script.accept(3, 1);
    check_damaged(disk, {{path_of(1), contents}}, {{{}, {}, script.state()}},
                  ", where commit 3 is expected");
  }
}

TEST_CASE("an epoch that was adopted after the damage is recovered, even without a transaction") {
  Script script;
  SimFileSystem disk(1);
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    script.accept(1, 1);
    REQUIRE(error_of(commit(opened->log, script)) == "");
    script.accept(3, 2);
    script.adopt(3);
    script.found();
    REQUIRE(error_of(commit(opened->log, script)) == "");
  }
  disk.lose(extent_path);
  std::string contents = disk.contents(path_of(1));
  contents[header_bytes] ^= 1;
  disk.plant(path_of(1), contents);
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(opened->recovered.damaged == zab::Claim{{3}, {}});
  CHECK(opened->recovered.current_epoch == zab::Epoch{3});
  CHECK(opened->recovered.accepted_epoch == zab::Epoch{3});
  CHECK(opened->recovered.accepted_leader == zab::ServerId{2});
  // The cluster is not known: the damage may have hidden a later adoption.
  CHECK_FALSE(opened->recovered.founded);
}

TEST_CASE("a commit with a record that may not follow is dropped as a whole") {
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
  CHECK(mentions(opened->report, "not valid here: txn 1:1 after 1:1"));
  CHECK(opened->recovered.history.last() == zab::Point{});
  CHECK(opened->recovered.current_epoch == zab::Epoch{1});
  CHECK(opened->recovered.damaged == zab::Claim{{1}, {{1}, 1}});
  CHECK((*opened->log.read_after({}, 1000))->txns.empty());
}

TEST_CASE("another server's log is refused") {
  SimFileSystem disk(1);
  REQUIRE(run_steps(disk, short_script()) == 3);
  const std::string before = disk.contents(path_of(1));
  const std::string error = error_of(Log::open(disk, directory, {2}, {}, small));
  CAPTURE(error);
  CHECK(mentions(error, path_of(1) + " belongs to server 1, but this is server 2"));
  CHECK((disk.contents(path_of(1)) == before));
}

TEST_CASE("a segment of another format version is refused, and is not damage") {
  const std::vector<Step> steps = short_script();
  auto files = segments_after(steps);
  std::string& contents = files.begin()->second;
  contents[8] = 5;
  SimFileSystem disk(1);
  SUBCASE("another format") {
    contents[100] = 1;
    const std::uint64_t checksum = XXH3_64bits(contents.data(), 120);
    std::memcpy(contents.data() + 120, &checksum, sizeof(checksum));
    plant(disk, files);
    check_refused(disk, files, "written by another program (segment version 5)");
  }
  SUBCASE("only the version number is changed") {
    plant(disk, files);
    check_damaged(disk, files, steps, "does not match its checksum");
  }
  SUBCASE("the version number and more is changed") {
    for (std::size_t at = 4; at < 60; ++at) contents[at] ^= 21;
    contents.replace(0, 8, "zabklog\n");
    plant(disk, files);
    check_damaged(disk, files, steps, "does not match its checksum");
  }
}

TEST_CASE("a file that cannot be read is damage, and not the end of the log") {
  const std::vector<Step> steps = full_script();
  const auto files = segments_after(steps);
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
    CHECK(describe(opened->recovered) == steps.back().after);
  }
  CHECK(damaged > 20);
}

// ZOOKEEPER-1489. The bytes of dropped records may still be in the file, behind new records.
TEST_CASE("records that were truncated or dropped never come back") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    SimFileSystem disk(seed);
    Script script;
    script.accept(1, 1);
    script.adopt(1);
    script.append(2, 40);
    {
      auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      opened->log.stage(script.take_effects());
      REQUIRE(error_of(opened->log.commit()) == "");
      // Many small records that are not acknowledged. Some of them will reach the disk.
      Script lost = script;
      lost.append(12, 100);
      disk.fail_at(disk.operations() + 1, sim::Fault::power);
      opened->log.stage(lost.take_effects());
      REQUIRE(error_of(opened->log.commit()) != "");
    }
    disk.power_cycle();
    bool kept = false;
    for (int round = 0; round < 3; ++round) {
      auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      if (round == 0) kept = opened->recovered.history.size() > 2;
      if (kept) break;  // the whole commit reached the disk
      CHECK(describe(opened->recovered) == describe(script.state()));
      // With padding as long as one of those records, so the next one of them is directly behind.
      script.append(1, 101);
      opened->log.stage(script.take_effects());
      REQUIRE(error_of(opened->log.commit()) == "");
      disk.power_cycle();
    }
  }
}

}  // namespace
}  // namespace storage::test
