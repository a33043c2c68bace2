#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/storage/file_system.h"
#include "server/storage/segment.h"
#include "server/storage/segment_header.h"
#include "server/storage/tip.h"
#include "server/storage/trail.h"
#include "zab/effects.h"
#include "zab/state.h"

namespace storage {

struct Opened;

// The write-ahead log: the one place where epochs and history are durable. What is staged between
// two commits is one unit: after a crash all of it is there or none of it.
//
// No threads and no locks inside: one thread at a time.
class Log {
 public:
  // Opens the log in `directory`, or begins one; locks the directory against other processes. The
  // error says what an operator is to do: the directory is in use, is another server's, is damaged
  // (file, offset and what is wrong; nothing has been changed then), or the system's own error.
  // `files` must outlive the log.
  [[nodiscard]] static Result<Opened> open(FileSystem& files, const std::string& directory,
                                           const Identity& identity, const Options& options = {});

  // Takes what the next commit will make durable, in order. It must be something that the history
  // so far allows.
  void stage(const std::vector<zab::Persist>& persists);
  // Makes everything staged durable: one write and one sync, unless a new segment begins. After an
  // error nobody knows what is on the disk: the process must end and open the log anew. The log
  // itself then does nothing any more, and repeats the error.
  [[nodiscard]] Result<void> commit();

  // Works ahead, so that the commits that follow need not: for when what the last one promised has
  // left. Nearly always there is nothing to do; never calling it is safe. Errors as for `commit`.
  [[nodiscard]] Result<void> prepare();

  // Octets that wait for the next commit.
  [[nodiscard]] std::size_t staged_bytes() const { return staged_.size(); }

 private:
  Log(FileSystem& files, std::string directory, const Identity& identity, const Options& options,
      std::unique_ptr<Lock> lock, Segment segment, std::uint64_t next_commit,
      const zab::Durable& durable);

  void stage(const zab::AcceptEpoch& accept);
  void stage(const zab::AdoptHistory& adopt);
  void stage(const zab::Append& append);
  void stage(const zab::Txn& txn);

  [[nodiscard]] Result<void> write_staged();
  [[nodiscard]] Result<void> begin_segment(std::uint64_t commit_bytes);
  [[nodiscard]] Result<void> write_commit(wire::Bytes& records);
  [[nodiscard]] Result<void> work_ahead();

  FileSystem* files_;
  std::string directory_;
  Identity identity_;
  Options options_;
  std::unique_ptr<Lock> lock_;

  Segment segment_;
  std::uint64_t next_commit_;
  Tip durable_;         // as of the last commit
  Tip tip_;             // as of what is staged
  Trail trail_;         // likewise
  wire::Bytes staged_;  // records that have no place yet
  std::optional<wire::Error> broken_;
};

struct Opened {
  Log log;
  zab::Durable recovered;
  std::string report;  // for the operator's log: what was found, and what was dropped
};

}  // namespace storage
