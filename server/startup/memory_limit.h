#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace server {

// The memory that this process may use.
struct MemoryLimit {
  std::uint64_t bytes = 0;
  std::string source;  // what says so, for the operator
};

// `configured` bytes, if that is not 0. Otherwise four fifths of the limit of this process's cgroup
// (version 1 or 2), or of the nearest one above it that has a limit; without a limit, half of the
// machine's memory. The files of the system are read below `root`.
[[nodiscard]] MemoryLimit memory_limit(std::uint64_t configured,
                                       const std::filesystem::path& root = "/");

}  // namespace server
