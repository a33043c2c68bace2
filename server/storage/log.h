#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "server/storage/files/file_system.h"
#include "server/storage/format/record.h"
#include "server/storage/format/segment_header.h"
#include "server/storage/format/tip.h"
#include "server/storage/recovery/recovery.h"
#include "server/storage/segments/extent.h"
#include "server/storage/segments/history_reader.h"
#include "server/storage/segments/index.h"
#include "server/storage/segments/segment.h"
#include "server/storage/segments/spare_files.h"
#include "zab/effects.h"
#include "zab/state.h"

namespace storage {

struct OpenedLog;

// The write-ahead log: the one place where epochs and history are durable. All that is staged
// between two commits is one unit: after a crash all of it is there, or none of it.
//
// It has no threads and no locks: one thread at a time may use it.
class Log {
 public:
  // Opens the log in `directory`, or makes a new one. Locks the directory against other processes.
  // `applied` is the checkpoint's point, {} if there is none. It must be at or after the last
  // snapshot that the log adopted. If not, the error's reason is `snapshot_missing`: a caller that
  // has that snapshot stored makes it the checkpoint and opens again. A caller without it opens
  // again with `AdoptedSnapshot::lost`: then the log counts as damaged.
  //
  // Damage is not an error. The log opens with what is intact, and `recovered.damaged` is set. The
  // damaged files are never written to again: the first commit begins a new segment.
  //
  // An error says what an operator can do. The directory is in use, it belongs to another server,
  // its version is unknown (`unknown_version`), the checkpoint is of another history, or the
  // operating system refuses.
  // `files` must outlive the log.
  [[nodiscard]] static OpenResult<OpenedLog> open(
      FileSystem& files, const std::string& directory, zab::ServerId server, zab::Point applied,
      const LogOptions& options = {}, AdoptedSnapshot snapshot = AdoptedSnapshot::stored);
  // The last snapshot that the log in `directory` adopted; nothing if it adopted none. For a caller
  // that finds a stored snapshot before `open`: the stored one counts only if it is this one. Reads
  // the whole log.
  [[nodiscard]] static OpenResult<std::optional<zab::Point>> adopted_snapshot(
      FileSystem& files, const std::string& directory, zab::ServerId server);

  // Adds to what the next commit will make durable, in order. The history so far must allow it. The
  // bytes of a snapshot (zab::StoreSnapshot) must not be staged.
  void stage(std::vector<zab::Persist> persists);
  // Makes everything staged durable, with one sync unless a new segment begins. After an error it
  // is not known what is on the disk: the process must end, and open the log again. Until then
  // every call returns the same error, and does nothing.
  [[nodiscard]] Result<void> commit();

  // The level of what is committed from now on. If the segment that is being written has another
  // one, the next commit begins a segment, in the version of this level.
  void set_level(wire::Level level) { level_ = level; }
  // The greatest level that a segment of the log has.
  [[nodiscard]] wire::Level greatest_level() const;

  // Works ahead for later commits: fills the segment with zeros, or begins the next one. Call it
  // when the confirmations of the last commit are sent. Nearly always there is nothing to do. It is
  // safe never to call it. Errors as for `commit`.
  [[nodiscard]] Result<void> prepare();
  // Writes an empty commit, which proves the last one, unless it is proven already. Call it when
  // the log is idle, and before it is closed. Otherwise damage to the last commit would look like a
  // crash during it. Nothing may be staged. Errors as for `commit`.
  [[nodiscard]] Result<void> mark();

  // The txns after `after`, as of the last commit. If `after` is not in the history, those after
  // the last point before it (zab::History::common_candidate). Nothing if that is before `begin()`.
  // Returns at most `max_bytes` of payload, but at least one txn unless the history ends there. An
  // error names the file and the offset that cannot be read. The log can still be written to.
  [[nodiscard]] Result<std::optional<Stretch>> read_after(zab::Point after,
                                                          std::uint64_t max_bytes);
  // `read_after` can read the history from this point on.
  [[nodiscard]] zab::Point begin() const { return index_.begin(); }
  // Removes the oldest segments that a durable `checkpoint` covers, and leaves more than
  // `keep_bytes` of log. Keeps a few of the files for later segments. The log stays valid if this
  // fails, or if the process dies in here.
  [[nodiscard]] Result<void> purge(zab::Point checkpoint, std::uint64_t keep_bytes);

  // The order to make a file for the next segment, if it is time and there is none. Any thread may
  // carry it out. It saves later commits the cost of a growing file. It is safe to ignore it.
  [[nodiscard]] std::optional<SpareWork> spare_work();
  // The outcome of that order.
  void spare_made(const SpareWork& work, const Result<void>& done) { spares_.finish(work, done); }

  // Where the next commit will be, unless it begins a segment. If the log is damaged: the end of
  // the intact part.
  [[nodiscard]] LogPosition end() const;
  // The bytes that the next commit will write.
  [[nodiscard]] std::uint64_t staged_bytes() const { return staged_bytes_; }

 private:
  // A change of the index, to be applied once the staged records have a location.
  struct IndexUpdate {
    enum class Kind { continues, truncates, restarts };
    Kind kind{};
    zab::Point before;
    std::uint64_t at = 0;  // bytes from the beginning of the commit
  };
  // A record that has no location yet.
  struct Staged {
    Staged(RecordType type, zab::Point point, wire::Bytes payload);
    explicit Staged(zab::Txn txn);

    RecordType type;
    zab::Point point;
    zab::Payload payload;
    std::uint64_t checksum;
  };

  Log(FileSystem& files, std::string directory, zab::ServerId server, const LogOptions& options,
      std::unique_ptr<Lock> lock, Extent extent, RecoveredLog recovered);

  void stage(zab::AcceptEpoch&& accept);
  void stage(zab::AdoptHistory&& adopt);
  void stage(zab::Append&& append);
  void stage(zab::MarkFounded&& found);
  void stage(zab::StoreSnapshot&& store);
  void stage(zab::Txn&& txn);
  void stage(Staged record);

  // Calls `act` unless an earlier call failed. Returns the first error from then on.
  [[nodiscard]] Result<void> unless_broken(Result<void> (Log::*act)());
  [[nodiscard]] Result<void> write_staged();
  [[nodiscard]] Result<void> begin_segment(std::uint64_t commit_bytes);
  // `bytes`: the size of all records.
  [[nodiscard]] Result<void> write_commit(std::span<const Staged> records, std::uint64_t bytes);
  [[nodiscard]] Result<void> write_empty_commit(RecordType type);
  [[nodiscard]] Result<void> work_ahead();
  [[nodiscard]] Result<void> write_mark();
  [[nodiscard]] Result<void> remove_mend_notes_before(std::uint64_t sequence);
  [[nodiscard]] Result<void> write_extent();
  void update_index(const IndexUpdate& update, RecordLocation first);

  FileSystem* files_;
  std::string directory_;
  zab::ServerId server_;
  LogOptions options_;
  std::unique_ptr<Lock> lock_;
  Extent extent_;
  wire::Level level_;          // of the next segment
  wire::Level segment_level_;  // of `segment_`

  std::optional<Segment> segment_;  // none if the log is damaged, until a commit begins one
  LogPosition valid_until_;         // if there is none: how far the earlier segments are valid
  SpareFiles spares_;
  std::vector<KeptSegment> kept_;  // all segments that count; the one that is written comes last
  std::uint64_t next_sequence_;
  std::uint64_t next_commit_;
  bool proven_;  // a later record proves that the last commit was synced
  bool marked_;  // that record is a mark
  Tip durable_;  // as of the last commit
  Tip tip_;      // as of what is staged
  Index index_;  // as of the last commit
  std::vector<Staged> staged_;
  std::uint64_t staged_bytes_ = 0;
  wire::Bytes piece_;  // the records of a commit that are not in the file yet
  std::vector<IndexUpdate> index_updates_;
  std::optional<wire::Error> broken_;
};

struct OpenedLog {
  Log log;
  zab::Durable recovered;
  std::string report;  // for the operator: what was found, what was dropped, what to do
};

}  // namespace storage
