#pragma once

#include <optional>
#include <string>

#include "server/storage/recovery/replay.h"
#include "server/storage/recovery/segment_catalog.h"

namespace storage {

// Where something does not hold, and what.
struct Damage {
  std::size_t segment = 0;   // of the catalog
  std::uint64_t offset = 0;  // in its file
  std::string what;          // for people, with file and offset
};

// One segment whose commits have been replayed.
struct ScannedSegment {
  std::size_t segment = 0;                  // of the catalog
  std::uint64_t key = 0;                    // of its records
  std::uint64_t last_begin = header_bytes;  // of the last complete commit
  std::uint64_t end = header_bytes;         // of the records
  std::uint64_t unfinished_end = 0;         // of what an incomplete commit left behind them
  bool sealed = false;
  std::string why;  // the commits end there

  [[nodiscard]] bool has_commits() const { return end > header_bytes; }
  [[nodiscard]] bool clean() const { return unfinished_end <= end; }
};

// A log read from one of its segments on, to the end or to the first damage.
struct LogScan {
  Replay replay;          // of the commits that hold
  std::size_t first = 0;  // the segment that it begins with
  std::optional<Damage> damage;
  std::optional<ScannedSegment> before;  // the segment before the last one that was read
  std::optional<ScannedSegment> last;
};

// Changes nothing. The last commit of all is none if it is incomplete: a crash before its sync
// returned. Whatever else does not hold is damage, a file that cannot be read too. An error is what
// must not be taken for damage: a later version's record.
[[nodiscard]] Result<LogScan> scan_log(FileSystem& files, const SegmentCatalog& catalog,
                                       std::size_t first, zab::Zxid applied,
                                       std::uint64_t history_bytes);

}  // namespace storage
