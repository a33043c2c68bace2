#pragma once

#include <cstdint>

namespace server {

// This process, as the system describes it. A value that cannot be read is 0.
struct ProcessReadings {
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_files = 0;
  std::uint64_t open_files_max = 0;
  double cpu_seconds = 0;
  double start_seconds = 0;  // since the Unix epoch
  std::uint64_t threads = 0;

  // The counts of the allocator, if it has some (jemalloc).
  std::uint64_t allocated_bytes = 0;         // that the program uses
  std::uint64_t allocator_active_bytes = 0;  // in pages from which they are allocated
};

[[nodiscard]] ProcessReadings read_process();

}  // namespace server
