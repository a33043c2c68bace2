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
#include "server/storage/format/checkpoint_label.h"
#include "wire/stored_record.h"

struct MDB_env;
struct MDB_txn;
struct MDB_cursor;

namespace storage {

// A checkpoint: records under keys, and a label, in one LMDB file. Each change is one transaction.
// The file is `path`; `path` + "-lock" is LMDB's lock file. LMDB maps the file into memory, and the
// mapped part counts as memory of the process. So the file is open only while it is used.
//
// One thread at a time may use it. No two objects for the same path may be in use at once.
class Checkpoint {
 public:
  // `map_bytes`: the address space to begin with, not memory or disk. It grows.
  explicit Checkpoint(std::string path, std::size_t map_bytes = std::size_t{1} << 30);
  ~Checkpoint();
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool exists() const;

  // Reads the whole file in a child process, and returns its label; nothing if nothing was ever
  // written. Changes nothing on the disk. LMDB trusts its file, so a damaged one may kill the
  // process that reads it: an error if the child fails or dies. Its code is `unimplemented` if
  // the label has an unknown version or level. Such a file may look damaged, and must not count as
  // damaged. Call it before threads are started.
  [[nodiscard]] Result<std::optional<CheckpointLabel>> probe() const;

  // Nothing if there is no file, or if nothing was ever written. An error if it cannot be read;
  // `unimplemented` as for `probe`.
  [[nodiscard]] Result<std::optional<CheckpointLabel>> label();
  // Visits every record in the order of the keys. Ends at the first error that `visit` returns.
  // Changes nothing on the disk if the file is not in use. Then no other process may use it.
  using Visit = std::function<Result<void>(std::string_view key, std::string_view value)>;
  [[nodiscard]] Result<void> read(const Visit& visit);

  // Changes the records and sets the label, all or nothing, durably. After an error nothing has
  // changed, and the caller may try again.
  [[nodiscard]] Result<void> write(const CheckpointLabel& label,
                                   std::vector<wire::StoredRecord> records);
  // The size of the file.
  [[nodiscard]] std::uint64_t bytes() const;

  // Closes the file, unless a CheckpointReader uses it.
  void close_if_unused();
  // Removes the file, and syncs the directory.
  [[nodiscard]] Result<void> remove();
  // Moves the file to `path`, in place of the file there. Neither may be in use.
  [[nodiscard]] Result<void> install(const std::string& path);
  // Renames the file, so that an operator can inspect it. Returns its new name.
  [[nodiscard]] Result<std::string> set_aside();

 private:
  friend class CheckpointReader;
  friend class CheckpointFill;

  [[nodiscard]] Result<void> open(unsigned flags);
  [[nodiscard]] Result<void> change(const std::function<int(MDB_txn*)>& change);
  // `code` is LMDB's.
  [[nodiscard]] wire::Error failure(const char* what, int code) const;

  std::string path_;
  std::size_t map_bytes_;
  MDB_env* env_ = nullptr;
  unsigned dbi_ = 0;
  std::size_t readers_ = 0;
};

// Reads a checkpoint as of one moment, in portions, while it changes. LMDB does not reuse the pages
// that a reader may still need: a reader that is kept for long makes the file grow.
class CheckpointReader {
 public:
  [[nodiscard]] static Result<std::unique_ptr<CheckpointReader>> begin(Checkpoint& checkpoint);
  ~CheckpointReader();
  CheckpointReader(const CheckpointReader&) = delete;
  CheckpointReader& operator=(const CheckpointReader&) = delete;

  [[nodiscard]] const CheckpointLabel& label() const { return label_; }
  // The portions joined are key, value, key, value ..., as wire::ByteWriter::string writes them.
  struct Portion {
    wire::Bytes bytes;
    bool last = false;
  };
  // At least `bytes` bytes unless it is the last portion, and at most `bytes_max`, which is greater
  // than any key and `bytes` together. Ends with a whole record, unless that does not fit: such a
  // record goes on in the next portions.
  [[nodiscard]] Result<Portion> next(std::size_t bytes, std::size_t bytes_max);
  // Visits all records that are left.
  [[nodiscard]] Result<void> each(const Checkpoint::Visit& visit);

 private:
  CheckpointReader(Checkpoint& checkpoint, MDB_txn* txn, MDB_cursor* cursor);
  // Reads the next record; false if there is none. The views are valid until the next call.
  [[nodiscard]] Result<bool> step(std::string_view& key, std::string_view& value);

  Checkpoint& checkpoint_;
  MDB_txn* txn_;
  MDB_cursor* cursor_;
  CheckpointLabel label_;
  std::string_view rest_;  // of a value that was cut; LMDB's, and valid as long as `txn_`
};

// Writes a new checkpoint, in the order of the keys. Until `finish` it has no label, and does not
// count.
class CheckpointFill {
 public:
  // Removes the old content.
  [[nodiscard]] static Result<std::unique_ptr<CheckpointFill>> begin(Checkpoint& checkpoint);
  CheckpointFill(const CheckpointFill&) = delete;
  CheckpointFill& operator=(const CheckpointFill&) = delete;

  // Every key must be greater than all keys before it.
  [[nodiscard]] Result<void> add(
      const std::vector<std::pair<std::string_view, std::string_view>>& records);
  // Sets the label. The checkpoint is then durable, and the file closed.
  [[nodiscard]] Result<void> finish(const CheckpointLabel& label);

 private:
  explicit CheckpointFill(Checkpoint& checkpoint) : checkpoint_(checkpoint) {}

  Checkpoint& checkpoint_;
};

}  // namespace storage
