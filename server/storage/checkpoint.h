#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/storage/files/file_system.h"
#include "wire/stored_record.h"
#include "zab/credentials.h"
#include "zab/ensemble.h"
#include "zab/history.h"

struct MDB_env;
struct MDB_txn;
struct MDB_cursor;

namespace storage {

// Whose state a checkpoint is, and as of which transaction.
struct CheckpointLabel {
  zab::ServerId server;
  zab::ClusterId cluster;
  zab::Point at;

  bool operator==(const CheckpointLabel&) const = default;
};

// A checkpoint: records under keys, and a label, in one file of LMDB's, changed by one transaction
// at a time. The file is `path`; `path` + "-lock" is LMDB's own. LMDB maps the file, and what is
// mapped counts as memory: so it is open only while it is used.
//
// One thread at a time. Two of the same path must not be in use at once.
class Checkpoint {
 public:
  // `map_bytes` of address space, not of memory or disk, to begin with; it grows.
  explicit Checkpoint(std::string path, std::size_t map_bytes = std::size_t{1} << 30);
  ~Checkpoint();
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool exists() const;

  // Reads every byte in a process of its own, and says what became of it: LMDB trusts its file,
  // and a damaged one may take down whoever reads it. To be asked before threads are started.
  [[nodiscard]] Result<void> probe() const;

  // Nothing if there is no file, or nothing was ever written. An error if it cannot be read.
  [[nodiscard]] Result<std::optional<CheckpointLabel>> label();
  // Every record in the order of their keys, until `visit` says an error.
  using Visit = std::function<Result<void>(std::string_view key, std::string_view value)>;
  [[nodiscard]] Result<void> read(const Visit& visit);

  // Changes the records and sets the label, all or nothing, durably. After an error nothing has
  // changed, and it may be tried again.
  [[nodiscard]] Result<void> write(const CheckpointLabel& label,
                                   std::vector<wire::StoredRecord> records);
  // Bytes that the file has.
  [[nodiscard]] std::uint64_t bytes() const;

  // Closes the file, if nobody reads it.
  void rest();
  // Removes the file, and syncs the directory.
  [[nodiscard]] Result<void> remove();
  // This one takes the place of the one at `path`, which is at rest as this one is.
  [[nodiscard]] Result<void> install(const std::string& path);
  // Moves the file out of the way, to where somebody may look at it. Returns its new name.
  [[nodiscard]] Result<std::string> set_aside();

 private:
  friend class CheckpointReader;
  friend class CheckpointFill;

  [[nodiscard]] Result<void> open(unsigned flags);
  [[nodiscard]] Result<void> change(const std::function<int(MDB_txn*)>& change);
  [[nodiscard]] wire::Error wrong(const char* what, int code) const;

  std::string path_;
  std::size_t map_bytes_;
  MDB_env* env_ = nullptr;
  unsigned dbi_ = 0;
  std::size_t readers_ = 0;
};

// A checkpoint as of one moment, in portions, while it changes. Pages that it still reads are not
// used again: it should not live for long.
class CheckpointReader {
 public:
  [[nodiscard]] static Result<std::unique_ptr<CheckpointReader>> begin(Checkpoint& checkpoint);
  ~CheckpointReader();
  CheckpointReader(const CheckpointReader&) = delete;
  CheckpointReader& operator=(const CheckpointReader&) = delete;

  [[nodiscard]] const CheckpointLabel& label() const { return label_; }
  struct Portion {
    wire::Bytes bytes;  // keys and values in turn, as wire::ByteWriter::string writes them
    bool last = false;
  };
  // About `bytes` of bytes, and at least one record.
  [[nodiscard]] Result<Portion> next(std::size_t bytes);
  // All that are left.
  [[nodiscard]] Result<void> each(const Checkpoint::Visit& visit);

 private:
  CheckpointReader(Checkpoint& checkpoint, MDB_txn* txn, MDB_cursor* cursor);
  // The next record; false if there is none. The views hold until the next step.
  [[nodiscard]] Result<bool> step(std::string_view& key, std::string_view& value);

  Checkpoint& checkpoint_;
  MDB_txn* txn_;
  MDB_cursor* cursor_;
  CheckpointLabel label_;
};

// Fills a checkpoint anew, in the order of the keys. It has no label, and counts for nothing,
// before it is whole.
class CheckpointFill {
 public:
  // What was in the file is gone.
  [[nodiscard]] static Result<std::unique_ptr<CheckpointFill>> begin(Checkpoint& checkpoint);
  CheckpointFill(const CheckpointFill&) = delete;
  CheckpointFill& operator=(const CheckpointFill&) = delete;

  // Keys above every one before.
  [[nodiscard]] Result<void> add(
      const std::vector<std::pair<std::string_view, std::string_view>>& records);
  // That was all. It is durable, and the file at rest.
  [[nodiscard]] Result<void> finish(const CheckpointLabel& label);

 private:
  explicit CheckpointFill(Checkpoint& checkpoint) : checkpoint_(checkpoint) {}

  Checkpoint& checkpoint_;
};

}  // namespace storage
