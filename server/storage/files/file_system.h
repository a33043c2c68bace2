#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wire/result.h"

// What the log needs of a file system, and all that it uses: the real one, and one that loses power
// on demand. Every call blocks until it is done. Errors carry ErrorCode::system_error and a message
// that names the operation, the path and the system's own words.
namespace storage {

using wire::Result;

inline constexpr std::uint64_t page_bytes = 4096;  // what a file system reads and writes at once

// The beginning and the end of the page that `offset` is in; itself if a page begins there.
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

  // Fills `into` with what starts at `offset`; returns how many bytes there were, fewer than asked
  // for only at the end of the file.
  [[nodiscard]] virtual Result<std::size_t> read(std::uint64_t offset, std::span<char> into) = 0;
  // Writes all of it, and makes the file longer where it has to. After an error any part of it may
  // have been written. Durable only after `sync`.
  [[nodiscard]] virtual Result<void> write(std::uint64_t offset, std::string_view bytes) = 0;
  // Lets the system begin to bring these bytes to the disk. A hint: promises nothing, and what
  // goes wrong is for `sync` to tell.
  virtual void start_writing(std::uint64_t offset, std::uint64_t count) = 0;
  // Makes durable what was written, and the length (fdatasync). After an error nothing is known
  // about what was written since the last success, and to call it again proves nothing.
  [[nodiscard]] virtual Result<void> sync() = 0;
  // Bytes.
  [[nodiscard]] virtual Result<std::uint64_t> size() = 0;
};

// Held until destroyed, or until the process is gone, however it ends.
class Lock {
 public:
  virtual ~Lock() = default;
};

// Creating, renaming and removing are durable only after `sync_directory`.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // The directory, for its owner alone (0700), durable with its entry in its parent. An existing
  // one is left as it is.
  [[nodiscard]] virtual Result<void> make_directory(const std::string& path) = 0;
  // The names in a directory, sorted, without "." and "..".
  [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
  [[nodiscard]] virtual Result<void> sync_directory(const std::string& path) = 0;

  // An existing file, to read and write.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::string& path) = 0;
  // An empty file for its owner alone (0600); one that is already there is emptied.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> create(const std::string& path) = 0;
  // Atomic; replaces `to` if it exists.
  [[nodiscard]] virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  [[nodiscard]] virtual Result<void> remove(const std::string& path) = 0;

  // Does not wait: null if another holder has the lock, in this process or another.
  [[nodiscard]] virtual Result<std::unique_ptr<Lock>> lock(const std::string& path) = 0;
};

}  // namespace storage
