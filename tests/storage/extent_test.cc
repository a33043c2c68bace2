#include <algorithm>
#include <functional>

#include <doctest/doctest.h>

#include "tests/storage/script.h"

// Marks, and the extent: how the loss of the end of a log is noticed.
namespace storage::test {
namespace {

using sim::SimFileSystem;

TEST_CASE("with a mark or the extent, damage to the last commit is not taken for a crash") {
  struct Row {
    bool marked;
    bool has_extent;
  };
  for (const auto& [marked, has_extent] :
       {Row{false, false}, Row{true, false}, Row{false, true}, Row{true, true}}) {
    CAPTURE(marked);
    CAPTURE(has_extent);
    SimFileSystem disk(1);
    std::uint64_t first_begin = 0;
    {
      auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      Script script;
      script.accept(1, 1);
      script.adopt(1);
      REQUIRE(error_of(commit(opened->log, script)) == "");
      first_begin = (disk.contents(path_of(1)).find_last_not_of('\0') / 8 + 1) * 8;
      script.append(1, 100);
      REQUIRE(error_of(commit(opened->log, script)) == "");
      if (marked) {
        const std::uint64_t before = disk.operations();
        REQUIRE(error_of(opened->log.mark()) == "");
        CHECK(disk.operations() == before + 3);  // two syncs
        REQUIRE(error_of(opened->log.mark()) == "");
        CHECK(disk.operations() == before + 3);
      }
    }
    if (!has_extent) disk.lose(extent_path);
    flip_bit(disk, 1, first_begin + 70);
    const auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    CHECK(opened->recovered.damaged.has_value() == (marked || has_extent));
    if (marked || has_extent) CHECK(*opened->recovered.damaged == zab::Claim{{1}, {{1}, 1}});
  }
}

// Without the extent, the log looks as after a crash during the first missing commit.
TEST_CASE("the extent shows that the end of a log is missing") {
  struct Row {
    const char* what;
    std::function<void(SimFileSystem&, std::uint64_t)> how;
    bool is_noticed;
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
      {"the file is cut", cut, true},
      {"the end is zeros", zero, true},
      {"the whole file", [](SimFileSystem& disk, std::uint64_t) { disk.lose(path_of(1)); }, true},
      {"nothing is lost", [](SimFileSystem&, std::uint64_t) {}, false},
      {"the end of the log, and the extent",
       [&](SimFileSystem& disk, std::uint64_t from) {
         cut(disk, from);
         disk.damage(extent_path, [](std::string& bytes) { bytes.assign(bytes.size(), 'x'); });
       },
       false},
      {"only the extent", [](SimFileSystem& disk, std::uint64_t) { disk.lose(extent_path); },
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
      Script script;
      script.accept(1, 1);
      script.adopt(1);
      REQUIRE(error_of(commit(opened->log, script)) == "");
      from = opened->log.end().offset;
      for (int i = 0; i < 3; ++i) {
        script.append(1, 100);
        REQUIRE(error_of(commit(opened->log, script)) == "");
      }
      last = script.state().history.last();
      disk.kill();
    }
    row.how(disk, from);
    std::uint64_t next = 0;
    {
      const auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      REQUIRE(opened->recovered.damaged.has_value() == row.is_noticed);
      if (!row.is_noticed) continue;
      CHECK(*opened->recovered.damaged == zab::Claim{{1}, last.zxid});
      CHECK(mentions(opened->report, "once reached commit 4"));
      next = opened->log.end().sequence;
    }
    // The log is damaged each time it opens, until it adopts a history.
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    CHECK(opened->log.end().sequence == next);
    zab::Durable then;
    opened->log.stage(
        adopt_from_leader(opened->recovered, opened->recovered.history.last().zxid, then));
    REQUIRE(error_of(opened->log.commit()) == "");
    disk.kill();
    opened = open(disk);
    REQUIRE(error_of(opened) == "");
    CHECK_FALSE(opened->recovered.damaged.has_value());
  }
}

TEST_CASE("if one slot of the extent is damaged, the other one still shows a missing end") {
  for (const std::size_t lost : {0, 1}) {
    CAPTURE(lost);
    SimFileSystem disk(1);
    Script script;
    script.accept(1, 1);
    script.adopt(1);
    std::uint64_t before_last = 0;
    // A mark and a restart after each commit, as on a server with few requests.
    for (int i = 0; i < 4; ++i) {
      auto opened = open(disk);
      REQUIRE(error_of(opened) == "");
      before_last = opened->log.end().offset;
      script.append(1, 100);
      REQUIRE(error_of(commit(opened->log, script)) == "");
      REQUIRE(error_of(opened->log.mark()) == "");
    }
    disk.damage(extent_path, [&](std::string& bytes) { bytes[lost * header_bytes + 20] ^= 1; });
    // The extent still knows the commit before the last one, at least.
    disk.damage(path_of(1), [&](std::string& bytes) { bytes.resize(before_last - 200); });
    const auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    CHECK(opened->recovered.damaged.has_value());
  }
}

// Left are a segment without a seal, and an empty segment after it.
TEST_CASE("a log that lost a seal and all records after it is mended") {
  SimFileSystem disk(1);
  Script script;
  script.accept(1, 1);
  script.adopt(1);
  std::uint64_t sealed_at = 0;
  {
    auto opened = open(disk, LogOptions{.segment_bytes = 12288, .fill_bytes = 1024});
    REQUIRE(error_of(opened) == "");
    while (opened->log.end().sequence < 2 || opened->log.end().offset < 6000) {
      if (opened->log.end().sequence == 1) sealed_at = opened->log.end().offset;
      script.append(1, 300);
      REQUIRE(error_of(commit(opened->log, script)) == "");
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
    opened->log.stage(
        adopt_from_leader(opened->recovered, opened->recovered.history.last().zxid, then));
    REQUIRE(error_of(opened->log.commit()) == "");
  }
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CHECK(describe(opened->recovered) == describe(then));
}

TEST_CASE("a damaged mark is dropped, and no commit is lost") {
  SimFileSystem disk(1);
  Script script;
  script.accept(1, 1);
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    REQUIRE(error_of(commit(opened->log, script)) == "");
    REQUIRE(error_of(opened->log.mark()) == "");
  }
  REQUIRE(error_of(open(disk)) == "");
  flip_bit(disk, 1, header_bytes + record_bytes(8) + 3);
  {
    auto opened = open(disk);
    REQUIRE(error_of(opened) == "");
    CHECK(describe(opened->recovered) == describe(script.state()));
    // The mark is written again, because nothing proves the commit before it.
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

TEST_CASE("a mark that does not fit into the segment begins the next one") {
  SimFileSystem disk(1);
  auto opened = open(disk, LogOptions{.segment_bytes = header_bytes + 3 * 64, .fill_bytes = 64});
  REQUIRE(error_of(opened) == "");
  Script script;
  for (std::uint32_t i = 1; i <= 20; ++i) {
    script.accept(i, 1);
    REQUIRE(error_of(commit(opened->log, script)) == "");
    if (i % 3 != 0) REQUIRE(error_of(opened->log.mark()) == "");
  }
  { const Log closing = std::move(opened->log); }
  const auto again = open(disk);
  REQUIRE(error_of(again) == "");
  CHECK(describe(again->recovered) == describe(script.state()));
}

}  // namespace
}  // namespace storage::test
