#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/storage/files/file_system.h"
#include "server/storage/segments/segment.h"

namespace storage {

// A file of zeros to be made for a segment to come, while the log goes on: on any thread, as long
// as nobody else uses the file system in a way that it does not allow. Whoever has been given one
// gives its outcome back to the log.
struct SpareWork {
  FileSystem* files = nullptr;
  std::string directory;
  std::string path;  // what the file is called once it is durable
  std::uint64_t bytes = 0;

  // Durable under its name when it returns. After an error there is no such file, or one that does
  // not count.
  [[nodiscard]] Result<void> run() const;
};

// Files for segments to come, which the file system need not find room for any more: to write over
// bytes that are there costs a sync no more than the bytes. Most are segments that were purged.
// What is in them has been written under other keys, and counts for nothing.
//
// None outlives the process: an earlier one may have had names that are not on the disk.
class SpareFiles {
 public:
  SpareFiles(FileSystem& files, std::string directory, const LogOptions& options);

  // Removes what an earlier process left.
  [[nodiscard]] Result<void> clear();
  // Takes the file of a segment that is not needed any more, or removes it if there are enough.
  // Durable when it returns: the segment is gone.
  [[nodiscard]] Result<void> recycle(const std::string& path);
  // The same, of a file that nothing may be written to.
  [[nodiscard]] Result<void> discard(const std::string& path);
  // The path of one that is there durably, and now the caller's; empty if there is none.
  [[nodiscard]] std::string take();

  // To make one, if there is none and none is being made.
  [[nodiscard]] std::optional<SpareWork> work();
  // What came of it. After a failure no other is asked for until one has been taken, or missed.
  void made(const SpareWork& work, const Result<void>& done);

 private:
  [[nodiscard]] std::string next_path();
  [[nodiscard]] bool fits(const std::string& path) const;

  FileSystem* files_;
  std::string directory_;
  std::uint64_t segment_bytes_;
  std::size_t max_;
  std::uint64_t number_ = 0;        // of the last one that got a name
  std::vector<std::string> paths_;  // the oldest first
  bool making_ = false;             // one, right now
  bool failed_ = false;             // to make one, since one was taken or missed
};

}  // namespace storage
