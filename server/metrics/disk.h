#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>

namespace server {

// The log's directory. A value that cannot be read is 0.
struct DiskReadings {
  std::uint64_t log_bytes = 0;     // of its segments and spare files
  std::uint64_t log_segments = 0;  // without spare files
  std::uint64_t free_bytes = 0;    // of its file system, for this process
  std::uint64_t size_bytes = 0;    // of its file system
};

// Reads on a thread of its own, because a disk that hangs must not stop the event loop.
class DiskReader {
 public:
  // Throws std::system_error if no thread can be started.
  explicit DiskReader(std::filesystem::path log_directory);
  // Does not wait for a disk that hangs.
  ~DiskReader();
  DiskReader(const DiskReader&) = delete;
  DiskReader& operator=(const DiskReader&) = delete;

  // The values of now. If the disk hangs, those of the last time, after `patience` at most.
  [[nodiscard]] DiskReadings read();

  static constexpr std::chrono::milliseconds patience{20};

 private:
  class Shared;
  std::shared_ptr<Shared> shared_;  // the thread has it too
};

}  // namespace server
