#include <algorithm>

#include <doctest/doctest.h>

#include "tests/storage/recycled_log.h"
#include "tests/storage/script.h"

// A recycled segment has bytes of earlier segments behind its records. They must never count.
namespace storage::test {
namespace {

using sim::SimFileSystem;

TEST_CASE("a change of bytes of an earlier segment has no effect") {
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
    // Recovery replaced them with zeros, so nothing can come back from there.
    CHECK(disk.contents(log.path()).find_last_not_of('\0') < log.records_end.offset);
  }
}

TEST_CASE("a change of any byte of a recycled segment is detected") {
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
      CHECK(mentions(opened->report, "dropped an incomplete commit"));
    }
  }
}

// Intact records, at their own offsets, of epochs that this log never reached.
TEST_CASE("records of an earlier segment in the same file are no evidence") {
  SimFileSystem other(1);
  Script later;
  later.accept(9, 1);
  later.adopt(9);
  {
    auto opened = Log::open(other, directory, {2}, {}, recycling);
    REQUIRE(error_of(opened) == "");
    later.append(8, 1000);
    REQUIRE(error_of(commit(opened->log, later)) == "");
  }
  SimFileSystem disk(1);
  Script script;
  {
    auto opened = open(disk, recycling);
    REQUIRE(error_of(opened) == "");
    script.accept(2, 1);
    REQUIRE(error_of(commit(opened->log, script)) == "");
    script.adopt(2);
    script.append(1, 100);
    REQUIRE(error_of(commit(opened->log, script)) == "");
    REQUIRE(error_of(opened->log.mark()) == "");
  }
  // Puts records of the other log behind those of this one. The other segment began with another
  // state, so its key is different.
  std::string contents = disk.contents(path_of(1));
  SegmentHeader header{self, 2, 5, {{2}, {1}, {2}, cluster, false, {}, {}}, {}};
  wire::Bytes records;
  append_record(records, RecordType::accept_epoch, {}, encode(zab::AcceptEpoch{{7}, {3}}),
                {5, true, {key_of(header), 8192}});
  contents.resize(recycling.segment_bytes, '\0');
  contents.replace(8192, records.size(), records);
  contents.replace(8192 + 1024, 4000, other.contents(path_of(1)), 8192 + 1024, 4000);
  disk.plant(path_of(1), contents);
  SUBCASE("the log is not damaged") {
    const auto opened = open(disk, recycling);
    REQUIRE(error_of(opened) == "");
    CHECK(describe(opened->recovered) == describe(script.state()));
  }
  SUBCASE("the log is damaged") {
    disk.damage(path_of(1), [](std::string& bytes) { bytes[header_bytes + 70] ^= 1; });
    const auto opened = open(disk, recycling);
    REQUIRE(error_of(opened) == "");
    CHECK(opened->recovered.damaged == zab::Claim{{2}, {{2}, 1}});
    CHECK(opened->recovered.accepted_epoch == zab::Epoch{2});
  }
}

TEST_CASE("spare files of an earlier process are removed before the log is written to") {
  const Recycled log;
  const std::vector<std::string> spares = spares_of(log.disk);
  REQUIRE_FALSE(spares.empty());
  SimFileSystem disk(1);
  plant(disk, log.files());
  SUBCASE("of a log that is not damaged") {
    REQUIRE(error_of(open(disk, log.checkpoint, recycling)) == "");
    CHECK(spares_of(disk).empty());
  }
  // The new first segment has the key of the old first segment, whose bytes may be in a spare file.
  SUBCASE("of a log whose segments are all lost") {
    for (const std::string& one : disk.paths()) {
      if (one.starts_with(directory + "/log.")) disk.lose(one);
    }
    REQUIRE(error_of(open(disk, recycling)) == "");
    CHECK(spares_of(disk).empty());
  }
  SUBCASE("of a damaged log: once it is mended") {
    disk.damage(log.path(), [](std::string& bytes) { bytes[40] ^= 1; });
    auto opened = open(disk, log.checkpoint, recycling);
    REQUIRE(error_of(opened) == "");
    REQUIRE(opened->recovered.damaged.has_value());
    CHECK(spares_of(disk) == spares);
    Script script(opened->recovered);
    script.accept(9, 1);
    REQUIRE(error_of(commit(opened->log, script)) == "");
    CHECK(spares_of(disk).empty());
  }
}

}  // namespace
}  // namespace storage::test
