#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/storage/files/file_system.h"
#include "server/storage/segments/segment.h"

namespace storage {

// An order to make a file of zeros for a later segment, while the log is in use. It may be carried
// out on any thread; the file system must allow that. The outcome goes back to the log
// (Log::spare_made).
struct SpareWork {
  FileSystem* files = nullptr;
  std::string directory;
  std::string path;  // the name of the file once it is durable
  std::uint64_t bytes = 0;

  // The file is durable under its name when this returns. After an error there is no such file, or
  // one that does not count.
  [[nodiscard]] Result<void> run() const;
};

// Files for later segments. A sync after writing over existing bytes costs less than one after a
// file grew: the file system has nothing to allocate. Most spare files are purged segments. Their
// old bytes were written under other keys, so they never count.
//
// A spare file does not outlive the process: a process that lost power may have used names that are
// not on the disk.
class SpareFiles {
 public:
  SpareFiles(FileSystem& files, std::string directory, const LogOptions& options);

  // Removes the spare files of an earlier process.
  [[nodiscard]] Result<void> remove_old();
  // Keeps the file of a segment that is not needed any more, or removes it if there are enough
  // spare files. The segment is durably gone when this returns.
  [[nodiscard]] Result<void> recycle(const std::string& path);
  // Removes the file of a segment that nothing may be written to. Durable when this returns.
  [[nodiscard]] Result<void> discard(const std::string& path);
  // The path of a durable spare file, which then belongs to the caller; empty if there is none.
  [[nodiscard]] std::string acquire();

  // The order to make one, if there is none and none is being made.
  [[nodiscard]] std::optional<SpareWork> next_work();
  // The outcome of that order. After a failure there is no other order until `acquire` is called.
  void finish(const SpareWork& work, const Result<void>& done);

 private:
  [[nodiscard]] std::string next_path();
  [[nodiscard]] bool has_useful_size(const std::string& path) const;

  FileSystem* files_;
  std::string directory_;
  std::uint64_t segment_bytes_;
  std::size_t max_;
  std::uint64_t number_ = 0;        // of the last name that was given out
  std::vector<std::string> paths_;  // the oldest first
  bool working_ = false;            // an order is being carried out
  bool failed_ = false;             // the last order failed, and `acquire` was not called since
};

}  // namespace storage
