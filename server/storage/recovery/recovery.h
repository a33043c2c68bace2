#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/storage/segments/index.h"
#include "server/storage/segments/segment.h"
#include "zab/history.h"

namespace storage {

// One of the segments that a log consists of.
struct KeptSegment {
  std::uint64_t sequence = 0;
  zab::Point start;         // the end of the history before it
  std::uint64_t bytes = 0;  // its size; 0 while it is being written
  bool damaged = false;     // a part of it is void, so nothing may be written to it
  wire::Level level = {};   // of its header
};

// Why a log could not be opened.
struct OpenError {
  enum class Reason : std::uint8_t {
    failed,            // as the message says; only an operator can act on it
    in_use,            // another process holds the lock of the log's directory
    snapshot_missing,  // the log adopted a snapshot, and the checkpoint is older than that
    unknown_version,   // a part of it has a version that is not known; nothing was changed
  };

  OpenError() = default;
  OpenError(Reason why, std::string text) : reason(why), message(std::move(text)) {}
  OpenError(wire::Error error)
      : reason(error.code == wire::ErrorCode::unimplemented ? Reason::unknown_version
                                                            : Reason::failed),
        message(std::move(error.message)) {}

  Reason reason = Reason::failed;
  std::string message;  // what is wrong, in which file, and what to do; for people
};
template <typename T>
using OpenResult = boost::system::result<T, OpenError>;

// Whether the caller has the snapshot that the log adopted last, if the checkpoint is older.
enum class AdoptedSnapshot : std::uint8_t { stored, lost };

struct RecoveredLog {
  Tip tip;
  zab::History history;
  Index index;
  wire::Level level;  // of the last segment
  std::uint64_t next_commit = 1;
  std::uint64_t next_sequence = 1;  // of the next segment
  std::vector<KeptSegment> kept;    // in order
  // The segment to append to. Nothing if the log is damaged: then the next segment mends the log,
  // and the earlier ones are valid up to `valid_until`.
  std::optional<Segment> segment;
  LogPosition valid_until;
  bool proven = true;   // a later record proves that the last commit was synced
  bool marked = false;  // that record is a mark
  std::string report;   // for the operator: what was found, what was dropped, what to do
};

// Reads the whole log in `directory`, and makes an empty one if there is none. Everything that is
// returned is durable, even if it was only in the page cache before. A process that dies in here
// can start again.
//
// An incomplete last commit is dropped: a crash came before its sync returned. Everything else that
// is not valid is damage. Then no file is changed, and `tip.damaged` is set. The history is what is
// intact before the damage, or the checkpoint if that reaches further. Damage in what the
// checkpoint covers does not count. For errors see Log::open.
[[nodiscard]] OpenResult<RecoveredLog> recover(FileSystem& files, const std::string& directory,
                                               zab::ServerId server, zab::Point applied,
                                               const LogOptions& options, AdoptedSnapshot snapshot);

// Implements Log::adopted_snapshot.
[[nodiscard]] Result<std::optional<zab::Point>> find_adopted_snapshot(FileSystem& files,
                                                                      const std::string& directory,
                                                                      zab::ServerId server);

}  // namespace storage
