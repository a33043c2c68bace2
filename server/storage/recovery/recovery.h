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

// One segment of those that a log consists of.
struct KeptSegment {
  std::uint64_t sequence = 0;
  zab::Point start;         // the history before it
  std::uint64_t bytes = 0;  // once another one follows
  bool damaged = false;     // in a part that is void: never to be written to again
};

// Why a log could not be opened.
struct OpenError {
  enum class Reason : std::uint8_t {
    failed,            // as the message says; only an operator can act on it
    in_use,            // another process holds the lock of the log's directory
    snapshot_missing,  // the log adopted a snapshot, and the checkpoint is older than that
  };

  OpenError() = default;
  OpenError(Reason why, std::string text) : reason(why), message(std::move(text)) {}
  OpenError(wire::Error error) : message(std::move(error.message)) {}

  Reason reason = Reason::failed;
  std::string message;  // what is wrong, in which file, and what to do; for people
};
template <typename T>
using OpenResult = boost::system::result<T, OpenError>;

// What has become of a snapshot that the log adopted, if the checkpoint is before it.
enum class AdoptedSnapshot : std::uint8_t { stored, lost };

struct RecoveredLog {
  Tip tip;
  zab::History history;
  Index index;
  std::uint64_t next_commit = 1;
  std::uint64_t next_sequence = 1;  // of the next segment
  std::vector<KeptSegment> kept;    // in order
  // To go on in. Nothing if the log is damaged: then the next segment is one that mends it, and up
  // to `holds` the earlier ones hold.
  std::optional<Segment> segment;
  LogPosition holds;
  bool proven = true;   // a later record shows that the last commit was synced
  bool marked = false;  // and that is a mark
  std::string report;   // what was found, and what was dropped: a line or more, for the operator
};

// Reads the whole log in `directory`, and begins one if there is none. All of what is returned is
// durable, whatever the page cache pretended. May be repeated after dying anywhere in it.
//
// A last commit that is incomplete is dropped: a crash before its sync returned. Whatever else does
// not hold is damage: then nothing is changed, `tip.damaged` is set, and the history is what is
// intact before the damage, or that of the checkpoint if that reaches further. Damage that only
// concerns what the checkpoint covers is none. For errors see Log::open.
[[nodiscard]] OpenResult<RecoveredLog> recover(FileSystem& files, const std::string& directory,
                                               zab::ServerId server, zab::Point applied,
                                               const LogOptions& options, AdoptedSnapshot snapshot);

// For Log::adopted_snapshot.
[[nodiscard]] Result<std::optional<zab::Point>> find_adopted_snapshot(FileSystem& files,
                                                                      const std::string& directory,
                                                                      zab::ServerId server);

}  // namespace storage
