#pragma once

#include <optional>
#include <string>

#include "server/storage/recovery/replay.h"
#include "server/storage/recovery/segment_catalog.h"

namespace storage {

// The place of some damage, and what is wrong there.
struct Damage {
  std::size_t segment = 0;   // its index in the catalog
  std::uint64_t offset = 0;  // in the segment's file
  std::string what;          // for people, with the file and the offset
};

// A segment whose commits were replayed. Offsets are in its file.
struct ScannedSegment {
  std::size_t segment = 0;                         // its index in the catalog
  std::uint64_t key = 0;                           // of its records
  std::uint64_t last_commit_begin = header_bytes;  // of the last complete commit
  std::uint64_t end = header_bytes;                // the end of the complete commits
  std::uint64_t unfinished_end = 0;  // the end of an incomplete commit behind them; 0: none
  bool sealed = false;
  std::string end_reason;  // why there is no further commit, for people

  [[nodiscard]] bool has_commits() const { return end > header_bytes; }
  [[nodiscard]] bool has_unfinished_commit() const { return unfinished_end > end; }
};

// The result of reading a log from one of its segments to the end, or to the first damage.
struct LogScan {
  Replay replay;          // of the commits before that
  std::size_t first = 0;  // the index in the catalog of the segment that the scan began with
  std::optional<Damage> damage;
  std::optional<ScannedSegment> before;  // the last segment but one
  std::optional<ScannedSegment> last;    // the last segment that was read
};

// Reads the log from segment `first` of the catalog on. Changes nothing. For `applied` and
// `history_bytes` see Replay.
//
// An incomplete last commit is not damage: a crash came before its sync returned. Everything else
// that is not valid is damage, also a file that cannot be read. Returns an error only for a record
// that a later version of this program wrote: such a record must not count as damage.
[[nodiscard]] Result<LogScan> scan_log(FileSystem& files, const SegmentCatalog& catalog,
                                       std::size_t first, zab::Zxid applied,
                                       std::uint64_t history_bytes);

}  // namespace storage
