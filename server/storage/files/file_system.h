#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wire/result.h"

// All that the log uses of a file system. There are two: the operating system's
// (PosixFileSystem), and one that loses power on demand (tests/support/sim_file_system.h).
// Every call blocks until it is done. Errors carry ErrorCode::system_error, and a message with the
// operation, the path and the operating system's text.
namespace storage {

using wire::Result;

inline constexpr std::uint64_t page_bytes = 4096;  // a file system reads and writes whole pages

// The beginning and the end of the page that contains `offset`; both are `offset` if a page begins
// there.
[[nodiscard]] constexpr std::uint64_t page_begin(std::uint64_t offset) {
  return offset / page_bytes * page_bytes;
}
[[nodiscard]] constexpr std::uint64_t page_end(std::uint64_t offset) {
  return (offset + page_bytes - 1) / page_bytes * page_bytes;
}

// An open file; closed when destroyed.
class File {
 public:
  virtual ~File() = default;

  // Fills `into` with the bytes from `offset` on. Returns how many there were: fewer than asked for
  // only at the end of the file.
  [[nodiscard]] virtual Result<std::size_t> read(std::uint64_t offset, std::span<char> into) = 0;
  // Writes all of `bytes`, and makes the file longer if needed. After an error any part of them may
  // have been written. Durable only after `sync`.
  [[nodiscard]] virtual Result<void> write(std::uint64_t offset, std::string_view bytes) = 0;
  // Asks the system to begin to write these bytes to the disk. A hint: it promises nothing, and
  // `sync` reports the errors.
  virtual void start_writing(std::uint64_t offset, std::uint64_t count) = 0;
  // Makes durable what was written, and the file's length (fdatasync). After an error nothing is
  // known about what was written since the last success. A second call that succeeds proves
  // nothing.
  [[nodiscard]] virtual Result<void> sync() = 0;
  // In bytes.
  [[nodiscard]] virtual Result<std::uint64_t> size() = 0;
};

// A lock is held until it is destroyed, or until the process ends, however it ends.
class Lock {
 public:
  virtual ~Lock() = default;
};

// Creating, renaming and removing are durable only after `sync_directory`.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Makes a directory that only its owner can use (0700), and makes its entry in its parent
  // durable. An existing directory is left as it is.
  [[nodiscard]] virtual Result<void> make_directory(const std::string& path) = 0;
  // The names in a directory, sorted, without "." and "..".
  [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
  [[nodiscard]] virtual Result<void> sync_directory(const std::string& path) = 0;

  // Opens an existing file, to read and write.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::string& path) = 0;
  // Makes an empty file that only its owner can use (0600). An existing file is emptied.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> create(const std::string& path) = 0;
  // Atomic. Replaces `to` if it exists.
  [[nodiscard]] virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  [[nodiscard]] virtual Result<void> remove(const std::string& path) = 0;

  // Does not wait: null if another holder has the lock, in this process or another.
  [[nodiscard]] virtual Result<std::unique_ptr<Lock>> lock(const std::string& path) = 0;
};

}  // namespace storage
