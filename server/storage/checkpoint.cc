#include "server/storage/checkpoint.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <lmdb.h>
#include <unistd.h>
#include <utility>

#include "server/storage/files/directory.h"
#include "server/storage/lmdb_value.h"
#include "wire/ensure.h"

namespace storage {
namespace {

constexpr unsigned flags_always = MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD;
constexpr mdb_mode_t mode = 0600;

}  // namespace

Checkpoint::Checkpoint(std::string path, std::size_t map_bytes)
    : path_(std::move(path)), map_bytes_(map_bytes) {}

Checkpoint::~Checkpoint() {
  ensure(readers_ == 0, "a checkpoint outlives its readers");
  close_if_unused();
}

wire::Error Checkpoint::failure(const char* what, int code) const {
  // LMDB calls a write that was cut short by any limit an error of the disk.
  const std::string advice =
      code == EIO ? " (the disk failed or is full, or ulimit -f keeps the file from growing)" : "";
  return {wire::ErrorCode::system_error, path_ + ": " + what + ": " + mdb_strerror(code) + advice};
}

std::uint64_t Checkpoint::bytes() const {
  std::error_code error;
  const auto size = std::filesystem::file_size(path_, error);
  return error ? 0 : size;
}

bool Checkpoint::exists() const {
  std::error_code error;
  return std::filesystem::exists(path_, error);
}

Result<void> Checkpoint::open(unsigned flags) {
  if (env_) return {};
  const bool is_new = !exists();
  if (int code = mdb_env_create(&env_); code != 0) return failure("cannot be opened", code);
  int code = mdb_env_set_mapsize(env_, std::max<std::size_t>(map_bytes_, 2 * bytes()));
  if (code == 0) code = mdb_env_open(env_, path_.c_str(), flags_always | flags, mode);
  MDB_txn* txn = nullptr;
  if (code == 0) code = mdb_txn_begin(env_, nullptr, flags & MDB_RDONLY, &txn);
  if (code == 0) code = mdb_dbi_open(txn, nullptr, 0, &dbi_);
  if (txn && code == 0) code = mdb_txn_commit(std::exchange(txn, nullptr));
  if (txn) mdb_txn_abort(txn);
  if (code == 0) {
    if (!is_new) return {};
    return sync_directory_of(path_);
  }
  mdb_env_close(std::exchange(env_, nullptr));
  return failure("cannot be opened", code);
}

void Checkpoint::close_if_unused() {
  if (readers_ == 0 && env_) mdb_env_close(std::exchange(env_, nullptr));
}

// Retries with a larger map if the map is used up. A change or a removal may also need more pages.
Result<void> Checkpoint::change(const std::function<int(MDB_txn*)>& change) {
  for (;;) {
    MDB_txn* txn = nullptr;
    int code = mdb_txn_begin(env_, nullptr, 0, &txn);
    if (code == 0) {
      code = change(txn);
      if (code == 0) {
        code = mdb_txn_commit(txn);
      } else {
        mdb_txn_abort(txn);
      }
    }
    if (code == 0) return {};
    if (code != MDB_MAP_FULL) return failure("cannot be written", code);
    if (readers_ > 0) return failure("cannot grow while it is being read", code);
    MDB_envinfo info{};
    mdb_env_info(env_, &info);
    if (code = mdb_env_set_mapsize(env_, 2 * info.me_mapsize); code != 0) {
      return failure("cannot grow", code);
    }
  }
}

Result<std::optional<CheckpointLabel>> Checkpoint::label() {
  if (!exists()) return std::optional<CheckpointLabel>();
  if (auto opened = open(0); !opened) return opened.error();
  MDB_txn* txn = nullptr;
  if (const int code = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn); code != 0) {
    return failure("cannot be read", code);
  }
  MDB_val key = value_of(label_key);
  MDB_val value{};
  const int code = mdb_get(txn, dbi_, &key, &value);
  const wire::Bytes bytes(code == 0 ? bytes_of(value) : std::string_view());
  mdb_txn_abort(txn);
  if (code == MDB_NOTFOUND) return std::optional<CheckpointLabel>();
  if (code != 0) return failure("cannot be read", code);
  auto label = decode_label(bytes);
  if (!label) return wire::Error{label.error().code, path_ + ": " + label.error().message};
  return std::optional(std::move(*label));
}

Result<void> Checkpoint::read(const Visit& visit) {
  const bool opens = !env_ && exists();
  if (opens) {
    // LMDB writes to its lock file even to read.
    if (auto opened = open(MDB_RDONLY | MDB_NOLOCK); !opened) return opened;
  }
  Result<void> done;
  if (auto reader = CheckpointReader::begin(*this); reader) {
    done = (*reader)->each(visit);
  } else {
    done = reader.error();
  }
  if (opens) close_if_unused();
  return done;
}

Result<void> Checkpoint::write(const CheckpointLabel& label,
                               std::vector<wire::StoredRecord> records) {
  if (auto opened = open(0); !opened) return opened;
  // Sorted, because neighbours are in the same page.
  std::ranges::stable_sort(records, {}, &wire::StoredRecord::key);
  const wire::Bytes label_bytes = encode(label);
  return change([&](MDB_txn* txn) {
    for (const wire::StoredRecord& record : records) {
      MDB_val key = value_of(record.key);
      if (!record.value) {
        const int code = mdb_del(txn, dbi_, &key, nullptr);
        if (code != 0 && code != MDB_NOTFOUND) return code;
        continue;
      }
      MDB_val value = value_of(*record.value);
      if (const int code = mdb_put(txn, dbi_, &key, &value, 0); code != 0) return code;
    }
    MDB_val key = value_of(label_key);
    MDB_val value = value_of(label_bytes);
    return mdb_put(txn, dbi_, &key, &value, 0);
  });
}

Result<void> Checkpoint::remove() {
  close_if_unused();
  for (const std::string& path : {path_, path_ + "-lock"}) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
      return wire::Error{wire::ErrorCode::system_error,
                         path + ": cannot be removed: " + std::generic_category().message(errno)};
    }
  }
  return sync_directory_of(path_);
}

Result<void> Checkpoint::install(const std::string& path) {
  close_if_unused();
  if (auto moved = move_file(path_, path); !moved) return moved;
  return remove();
}

Result<std::string> Checkpoint::set_aside() {
  close_if_unused();
  std::string aside = path_ + ".damaged";
  if (auto moved = move_file(path_, aside); !moved) return moved.error();
  if (auto removed = remove(); !removed) return removed.error();
  return aside;
}

// --- Reading ---

CheckpointReader::CheckpointReader(Checkpoint& checkpoint, MDB_txn* txn, MDB_cursor* cursor)
    : checkpoint_(checkpoint), txn_(txn), cursor_(cursor) {
  checkpoint_.readers_ += 1;
}

CheckpointReader::~CheckpointReader() {
  mdb_cursor_close(cursor_);
  mdb_txn_abort(txn_);
  checkpoint_.readers_ -= 1;
}

Result<std::unique_ptr<CheckpointReader>> CheckpointReader::begin(Checkpoint& checkpoint) {
  auto label = checkpoint.label();
  if (!label) return label.error();
  if (!*label) {
    return wire::Error{wire::ErrorCode::no_node, checkpoint.path() + ": there is no checkpoint"};
  }
  MDB_txn* txn = nullptr;
  MDB_cursor* cursor = nullptr;
  int code = mdb_txn_begin(checkpoint.env_, nullptr, MDB_RDONLY, &txn);
  if (code == 0) code = mdb_cursor_open(txn, checkpoint.dbi_, &cursor);
  if (code != 0) {
    if (txn) mdb_txn_abort(txn);
    return checkpoint.failure("cannot be read", code);
  }
  std::unique_ptr<CheckpointReader> reader(new CheckpointReader(checkpoint, txn, cursor));
  reader->label_ = **label;
  return reader;
}

Result<bool> CheckpointReader::step(std::string_view& key, std::string_view& value) {
  MDB_val found{};
  MDB_val bytes{};
  int code = mdb_cursor_get(cursor_, &found, &bytes, MDB_NEXT);
  if (code == 0 && bytes_of(found) == label_key) {
    code = mdb_cursor_get(cursor_, &found, &bytes, MDB_NEXT);
  }
  if (code == MDB_NOTFOUND) return false;
  if (code != 0) return checkpoint_.failure("cannot be read", code);
  key = bytes_of(found);
  value = bytes_of(bytes);
  return true;
}

Result<void> CheckpointReader::each(const Checkpoint::Visit& visit) {
  std::string_view key;
  std::string_view value;
  for (;;) {
    const auto more = step(key, value);
    if (!more) return more.error();
    if (!*more) return {};
    if (auto done = visit(key, value); !done) return done;
  }
}

Result<CheckpointReader::Portion> CheckpointReader::next(std::size_t bytes, std::size_t bytes_max) {
  Portion portion;
  wire::ByteWriter out(portion.bytes);
  const auto take_rest = [&](std::size_t count) {
    out.raw(rest_.substr(0, count));
    rest_.remove_prefix(std::min(count, rest_.size()));
  };
  take_rest(bytes);
  std::string_view key;
  while (rest_.empty() && portion.bytes.size() < bytes) {
    const auto more = step(key, rest_);
    if (!more) return more.error();
    if (!*more) {
      portion.last = true;
      break;
    }
    out.string(key);
    out.integer(static_cast<std::uint32_t>(rest_.size()));
    const bool is_cut = portion.bytes.size() + rest_.size() > bytes_max;
    take_rest(is_cut ? bytes : rest_.size());
  }
  return portion;
}

// --- Filling ---

Result<std::unique_ptr<CheckpointFill>> CheckpointFill::begin(Checkpoint& checkpoint) {
  if (auto removed = checkpoint.remove(); !removed) return removed.error();
  // No syncs: the new checkpoint does not count before it is complete.
  if (auto opened = checkpoint.open(MDB_NOSYNC); !opened) return opened.error();
  return std::unique_ptr<CheckpointFill>(new CheckpointFill(checkpoint));
}

Result<void> CheckpointFill::add(
    const std::vector<std::pair<std::string_view, std::string_view>>& records) {
  return checkpoint_.change([&](MDB_txn* txn) {
    for (const auto& [key_bytes, value_bytes] : records) {
      MDB_val key = value_of(key_bytes);
      MDB_val value = value_of(value_bytes);
      if (const int code = mdb_put(txn, checkpoint_.dbi_, &key, &value, MDB_APPEND); code != 0) {
        return code;
      }
    }
    return 0;
  });
}

Result<void> CheckpointFill::finish(const CheckpointLabel& label) {
  const wire::Bytes bytes = encode(label);
  auto written = checkpoint_.change([&](MDB_txn* txn) {
    MDB_val key = value_of(label_key);
    MDB_val value = value_of(bytes);
    return mdb_put(txn, checkpoint_.dbi_, &key, &value, 0);
  });
  if (!written) return written;
  if (const int code = mdb_env_sync(checkpoint_.env_, 1); code != 0) {
    return checkpoint_.failure("cannot be synced", code);
  }
  checkpoint_.close_if_unused();
  return {};
}

}  // namespace storage
