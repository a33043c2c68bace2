#include <cstring>
#include <vector>
#include <xxhash.h>

#include <doctest/doctest.h>

#include "tests/storage/damaged_log.h"
#include "tests/storage/script.h"

// A log whose level changes, and a log that a later program wrote.
namespace storage::test {
namespace {

using sim::Fault;
using sim::SimFileSystem;

constexpr wire::Level old_level{0};
constexpr wire::Level new_level{1};

std::uint32_t version_of(const SimFileSystem& disk, std::uint64_t sequence) {
  std::uint32_t version = 0;
  std::memcpy(&version, disk.contents(path_of(sequence)).data() + 8, sizeof(version));
  return version;
}

LogOptions at_level(wire::Level level) {
  LogOptions options;  // segments are large, so that only the level begins new ones
  options.level = level;
  options.program = "zabkeeper 0.2.0";
  return options;
}

TEST_CASE("after a change of the level the next commit seals the segment, and begins one") {
  SimFileSystem disk(1);
  auto opened = open(disk, at_level(old_level));
  REQUIRE(error_of(opened) == "");
  Log& log = opened->log;
  Script script;
  script.accept(1, 1);
  script.adopt(1);
  REQUIRE(commit(log, script).has_value());
  const auto append = [&] {
    script.append(1, 30);
    REQUIRE(commit(log, script).has_value());
    return log.end().sequence;
  };
  CHECK(append() == 1);
  log.set_level(old_level);
  CHECK(append() == 1);
  log.set_level(new_level);
  CHECK(log.end().sequence == 1);
  CHECK(append() == 2);
  CHECK(append() == 2);
  log.set_level(old_level);
  CHECK(append() == 3);
  INFO("also while the log is idle, before that commit");
  log.set_level(new_level);
  REQUIRE(log.prepare().has_value());
  CHECK(log.end().sequence == 4);
  REQUIRE(log.mark().has_value());

  CHECK(version_of(disk, 1) == 3);
  CHECK(version_of(disk, 2) == 4);
  CHECK(version_of(disk, 3) == 3);
  CHECK(version_of(disk, 4) == 4);
  const auto header = decode_header(disk.contents(path_of(2)));
  REQUIRE(header.has_value());
  CHECK(header->written == WrittenBy{new_level, "zabkeeper 0.2.0"});

  INFO("segments of both versions are one log");
  disk.power_cycle();
  opened = open(disk, at_level(old_level));
  REQUIRE(error_of(opened) == "");
  CHECK(describe(opened->recovered) == describe(script.state()));
  const auto all = opened->log.read_after({}, 1 << 20);
  REQUIRE((all && *all));
  CHECK((*all)->txns.size() == 5);
}

TEST_CASE(
    "an opened log continues at the higher level: that of the options, or of its last segment") {
  struct Row {
    wire::Level written;
    wire::Level opened;
    std::uint64_t segment;
    std::uint32_t version;
  };
  for (const Row& row : std::vector<Row>{
           {old_level, old_level, 1, 3},
           {new_level, new_level, 1, 4},
           {new_level, old_level, 1, 4},
           {old_level, new_level, 2, 4},
       }) {
    CAPTURE(row.written.value);
    CAPTURE(row.opened.value);
    SimFileSystem disk(1);
    Script script;
    script.accept(1, 1);
    {
      auto opened = open(disk, at_level(row.written));
      REQUIRE(error_of(opened) == "");
      REQUIRE(commit(opened->log, script).has_value());
    }
    auto opened = open(disk, at_level(row.opened));
    REQUIRE(error_of(opened) == "");
    script.accept(2, 1);
    REQUIRE(commit(opened->log, script).has_value());
    CHECK(opened->log.end().sequence == row.segment);
    CHECK(version_of(disk, row.segment) == row.version);
  }
}

TEST_CASE("the segment that mends a log has the level of the last one") {
  SimFileSystem disk(1);
  Script script;
  script.accept(1, 1);
  {
    auto opened = open(disk, at_level(new_level));
    REQUIRE(commit(opened->log, script).has_value());
  }
  flip_bit(disk, 1);
  auto opened = open(disk, at_level(old_level));
  REQUIRE(error_of(opened) == "");
  REQUIRE(opened->recovered.damaged.has_value());
  script.accept(2, 1);
  REQUIRE(commit(opened->log, script).has_value());
  CHECK(version_of(disk, 2) == 4);
}

// Opens the log, and commits `steps` from `first` on, until something fails. Every third commit
// changes the level. Returns how many commits succeeded.
std::size_t run_levels(SimFileSystem& disk, const std::vector<Step>& steps, std::size_t first = 0) {
  auto opened = open(disk);
  if (!opened) return 0;
  std::size_t done = 0;
  for (std::size_t i = first; i < steps.size(); ++i) {
    opened->log.set_level(i / 3 % 2 == 0 ? old_level : new_level);
    opened->log.stage(steps[i].effects);
    if (!opened->log.commit()) break;
    ++done;
    if (i % 2 == 0 && !opened->log.prepare()) break;
  }
  return done;
}

TEST_CASE("after a loss of power at any operation, a log of several levels has all its commits") {
  const std::vector<Step> steps = full_script();
  SimFileSystem whole(0);
  REQUIRE(run_levels(whole, steps) == steps.size());
  for (std::uint64_t at = 0; at < whole.operations(); ++at) {
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      CAPTURE(at);
      CAPTURE(seed);
      SimFileSystem disk(seed * 1000 + at);
      disk.fail_at(at, Fault::power);
      const std::size_t acknowledged = run_levels(disk, steps);
      disk.power_cycle();
      auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      std::size_t recovered = acknowledged;
      const std::string is = describe(opened->recovered);
      const auto after = [&](std::size_t commits) {
        return commits == 0 ? describe({}) : steps[commits - 1].after;
      };
      if (is != after(recovered)) ++recovered;
      REQUIRE(is == after(recovered));
      disk.kill();
      REQUIRE(run_levels(disk, steps, recovered) == steps.size() - recovered);
      disk.power_cycle();
      opened = open(disk);
      REQUIRE(error_of(opened) == "");
      CHECK(describe(opened->recovered) == steps.back().after);
    }
  }
}

// --- Of a later program ---

// The header at `offset` becomes one of version 9. It keeps what every version keeps.
void make_later(std::string& contents, std::uint64_t offset = 0) {
  contents[offset + 8] = 9;
  const std::uint64_t checksum = XXH3_64bits(contents.data() + offset, 120);
  std::memcpy(contents.data() + offset + 120, &checksum, sizeof(checksum));
}

void check_refused(const Files& files, const std::string& what) {
  SimFileSystem disk(1);
  plant(disk, files);
  const auto before = files_of(disk);
  const auto opened = open(disk);
  REQUIRE(!opened.has_value());
  CAPTURE(opened.error().message);
  CHECK(opened.error().reason == OpenError::Reason::unknown_version);
  CHECK(mentions(opened.error().message, what));
  CHECK(mentions(opened.error().message, "Nothing was changed"));
  for (const auto& [path, contents] : before) CHECK((disk.contents(path) == contents));
  Files now = files_of(disk);
  now.erase(std::string(directory) + "/lock");
  CHECK(now.size() == before.size());
}

TEST_CASE("a log with one segment of an unknown version is refused, wherever the segment is") {
  Files files = files_after(full_script());
  files["/data/log/spare.0000000000000003"] = "an old one";
  files["/data/log/log.new"] = "unfinished";
  for (const std::uint64_t sequence : {1, 3, 5}) {
    CAPTURE(sequence);
    Files changed = files;
    make_later(changed.at(path_of(sequence)));
    check_refused(changed, path_of(sequence) + ": written by another program (segment version 9)");
    INFO("also if the log is damaged before it, or without its end");
    Files damaged = changed;
    if (sequence != 1) damaged.at(path_of(1))[header_bytes + 20] ^= 4;
    if (sequence != 5) damaged.erase(path_of(5));
    check_refused(damaged, path_of(sequence) + ": written by another program (segment version 9)");
  }
}

TEST_CASE("an extent of an unknown version is refused, and a damaged one is ignored") {
  const std::vector<Step> steps = full_script();
  const Files files = files_after(steps);
  for (const std::uint64_t slot : {0, 1}) {
    CAPTURE(slot);
    Files changed = files;
    make_later(changed.at(extent_path), slot * header_bytes);
    check_refused(changed, extent_path + ": written by another program (segment version 9)");
    changed.at(extent_path)[slot * header_bytes + 50] ^= 1;
    SimFileSystem disk(1);
    plant(disk, changed);
    const auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    CHECK(describe(opened->recovered) == steps.back().after);
  }
}

// Records may get new types in new versions of segments only. Should one be there all the same, it
// is not damage.
TEST_CASE("a record of an unknown type is refused, also behind damage") {
  Files files = segments_after(short_script());
  std::string& contents = files.at(path_of(1));
  const std::uint64_t end = (contents.find_last_not_of('\0') / 8 + 1) * 8;
  const std::uint64_t key = key_of(*decode_header(contents));
  const auto put = [&](std::uint64_t at, std::uint64_t commit) {
    wire::Bytes record;
    append_record(record, RecordType{77}, {}, "new", {commit, true, {key, at}});
    contents.resize(std::max<std::size_t>(contents.size(), at + record.size()), '\0');
    contents.replace(at, record.size(), record);
  };
  put(end, 4);
  check_refused(files, "(type 77)");
  contents[header_bytes + 20] ^= 4;
  check_refused(files, "(type 77)");
}

}  // namespace
}  // namespace storage::test
