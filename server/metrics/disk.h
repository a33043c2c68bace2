#pragma once

#include <cstdint>
#include <filesystem>

namespace server {

// The log's directory. A value that cannot be read is 0.
struct DiskReadings {
  std::uint64_t log_bytes = 0;     // of its segments and spare files
  std::uint64_t log_segments = 0;  // without spare files
  std::uint64_t free_bytes = 0;    // of its file system, for this process
  std::uint64_t size_bytes = 0;    // of its file system
};

[[nodiscard]] DiskReadings read_disk(const std::filesystem::path& log_directory);

}  // namespace server
