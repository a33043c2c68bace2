#include <algorithm>

#include <doctest/doctest.h>

#include "tests/storage/damaged_log.h"
#include "tests/storage/script.h"

// Whole segments, or their ends, are missing or in the wrong place.
namespace storage::test {
namespace {

using sim::SimFileSystem;

TEST_CASE("a missing segment is damage, whichever one it is") {
  const std::vector<Step> steps = full_script();
  const auto files = segments_after(steps);
  REQUIRE(files.size() > 4);
  for (std::uint64_t sequence = 1; sequence <= files.size(); ++sequence) {
    CAPTURE(sequence);
    auto rest = files;
    rest.erase(path_of(sequence));
    SimFileSystem disk(sequence);
    plant(disk, rest);
    const bool between = sequence > 1 && sequence < files.size();
    check_damaged(disk, rest, steps,
                  between ? path_of(sequence) + ": the file is missing" : "missing");
  }
}

TEST_CASE("a segment that lost its end is damage if another segment follows") {
  const std::vector<Step> steps = full_script();
  const auto files = segments_after(steps);
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

TEST_CASE("the last segment is damaged if its header is missing, but not if its end is missing") {
  const std::vector<Step> steps = short_script();
  const auto files = segments_after(steps);
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
    const std::string is = describe(opened->recovered);
    CHECK((is == describe({}) || is == steps[0].after || is == steps[1].after ||
           is == steps[2].after));
  }
}

TEST_CASE("a segment in the file of another one is damage") {
  const std::vector<Step> steps = full_script();
  const auto files = segments_after(steps);
  for (std::uint64_t sequence = 1; sequence < files.size(); ++sequence) {
    CAPTURE(sequence);
    auto mixed = files;
    mixed[path_of(sequence + 1)] = files.at(path_of(sequence));
    SimFileSystem disk(sequence);
    plant(disk, mixed);
    check_damaged(disk, mixed, steps, "contains segment " + std::to_string(sequence) + " instead");
  }
}

TEST_CASE("a segment that begins where the one before it does not end is damage") {
  Script script;
  script.accept(1, 1);
  script.adopt(1);
  script.append(1, 10);
  SimFileSystem disk(1);
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    opened->log.stage(script.take_effects());
    REQUIRE(error_of(opened->log.commit()) == "");
  }
  // These files are left by a crash after a segment is created, and before its predecessor is
  // sealed.
  const zab::Durable& state = script.state();
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
    CHECK(describe(opened->recovered) == describe(state));
    return;
  }
  const Files files{{path_of(1), disk.contents(path_of(1))},
                    {path_of(2), disk.contents(path_of(2))}};
  script.accept(2, 1);
  check_damaged(disk, files, {{{}, {}, script.state()}},
                "log.0000000000000002 continues with commit");
}

}  // namespace
}  // namespace storage::test
