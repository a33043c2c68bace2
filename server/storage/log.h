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
#include "server/storage/segments/spares.h"
#include "zab/effects.h"
#include "zab/state.h"

namespace storage {

struct OpenedLog;

// The write-ahead log: the one place where epochs and history are durable. What is staged between
// two commits is one unit: after a crash all of it is there or none of it.
//
// No threads and no locks inside: one thread at a time.
class Log {
 public:
  // Opens the log in `directory`, or begins one; locks the directory against other processes.
  // `applied` is the checkpoint's point, {} if there is none. It must be at or after the last
  // snapshot that the log adopted. If not, the error's reason is `snapshot_missing`: a caller that
  // has that snapshot stored makes it the checkpoint and opens again. A caller without it opens
  // again with `AdoptedSnapshot::lost`: then the log counts as damaged.
  //
  // Damage is no error. The log is then opened with what is intact, `recovered.damaged` is set, and
  // the damaged files are never written to again: the first commit begins a new segment. Any error
  // says what an operator is to do: the directory is in use, is another server's or another
  // version's, the checkpoint is of another history, or the system's own words.
  // `files` must outlive the log.
  [[nodiscard]] static OpenResult<OpenedLog> open(
      FileSystem& files, const std::string& directory, zab::ServerId server, zab::Point applied,
      const LogOptions& options = {}, AdoptedSnapshot snapshot = AdoptedSnapshot::stored);
  // The last snapshot that the log in `directory` adopted, if it did: what was stored of any other
  // counts for nothing. Reads the whole log; for when a stored one is found before `open`.
  [[nodiscard]] static OpenResult<std::optional<zab::Point>> adopted_snapshot(
      FileSystem& files, const std::string& directory, zab::ServerId server);

  // Takes what the next commit will make durable, in order. It must be something that the history
  // so far allows, and never the bytes of a snapshot.
  void stage(std::vector<zab::Persist> persists);
  // Makes everything staged durable: one sync, unless a new segment begins. After an
  // error nobody knows what is on the disk: the process must end and open the log anew. The log
  // itself then does nothing any more, and repeats the error.
  [[nodiscard]] Result<void> commit();

  // Works ahead, so that the commits that follow need not: for when what the last one promised has
  // left. Nearly always there is nothing to do; never calling it is safe. Errors as for `commit`.
  [[nodiscard]] Result<void> prepare();
  // Proves the last commit by another, an empty one, unless that is done already: for when the log
  // is idle, and before it is closed. Damage to the last commit of all would look like a crash
  // during it. Nothing may be staged. Errors as for `commit`.
  [[nodiscard]] Result<void> mark();

  // The history as of the last commit, after `after`: from `after` itself if the history goes
  // through it, else from the last point before it (History::common_candidate). Nothing if that is
  // before `begin()`. No more than `max_bytes` of payload, but at least one txn unless the history
  // ends there. An error names the file and the offset of what cannot be read any more; the log
  // may still be written to.
  [[nodiscard]] Result<std::optional<Stretch>> read_after(zab::Point after,
                                                          std::uint64_t max_bytes);
  // The history can be read after this point.
  [[nodiscard]] zab::Point begin() const { return index_.begin(); }
  // Removes the oldest segments that `checkpoint`, a durable one, covers, as long as what remains
  // is more than `keep_bytes`; a few of their files are kept for segments to come. Nothing breaks
  // if it does not get to its end, or fails.
  [[nodiscard]] Result<void> purge(zab::Point checkpoint, std::uint64_t keep_bytes);

  // A file to be made for the next segment, perhaps by another thread, if it is time for that and
  // there is none: it saves commits the cost of a growing file. Ignoring it is safe.
  [[nodiscard]] std::optional<SpareWork> spare_work();
  // What came of that.
  void spare_made(const SpareWork& work, const Result<void>& done) { spares_.made(work, done); }

  // Where the next commit will be, as things are; of a damaged log, up to where it holds.
  [[nodiscard]] LogPosition end() const;
  // Bytes that wait for the next commit.
  [[nodiscard]] std::uint64_t staged_bytes() const { return staged_bytes_; }

 private:
  // What the index gets to know about the staged records once they have a place.
  struct IndexUpdate {
    enum class Kind { goes_on, truncates, restarts };
    Kind kind{};
    zab::Point before;
    std::uint64_t at = 0;  // bytes from the beginning of the commit
  };
  // A record that has no place yet.
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

  [[nodiscard]] Result<void> unless_broken(Result<void> (Log::*act)());
  [[nodiscard]] Result<void> write_staged();
  [[nodiscard]] Result<void> begin_segment(std::uint64_t commit_bytes);
  // `bytes`: of all the records.
  [[nodiscard]] Result<void> write_commit(std::span<const Staged> records, std::uint64_t bytes);
  [[nodiscard]] Result<void> write_alone(RecordType type);
  [[nodiscard]] Result<void> work_ahead();
  [[nodiscard]] Result<void> write_mark();
  [[nodiscard]] Result<void> remove_notes_before(std::uint64_t sequence);
  [[nodiscard]] Result<void> note_reach();
  void update_index(const IndexUpdate& update, RecordLocation first);

  FileSystem* files_;
  std::string directory_;
  zab::ServerId server_;
  LogOptions options_;
  std::unique_ptr<Lock> lock_;
  Extent extent_;

  std::optional<Segment> segment_;  // none before the first commit that mends
  LogPosition holds_;               // until then: how far the earlier segments do
  SpareFiles spares_;
  std::vector<KeptSegment> kept_;  // the segments that count; the one being written comes last
  std::uint64_t next_sequence_;
  std::uint64_t next_commit_;
  bool proven_;  // the last commit, by what comes after it
  bool marked_;  // that is a mark
  Tip durable_;  // as of the last commit
  Tip tip_;      // as of what is staged
  Index index_;  // as of the last commit
  std::vector<Staged> staged_;
  std::uint64_t staged_bytes_ = 0;
  wire::Bytes piece_;  // of the commit that is being written
  std::vector<IndexUpdate> index_updates_;
  std::optional<wire::Error> broken_;
};

struct OpenedLog {
  Log log;
  zab::Durable recovered;
  std::string report;  // for the operator's log: what was found, and what was dropped
};

}  // namespace storage
