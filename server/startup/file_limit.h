#pragma once

#include <cstdint>
#include <string>

#include "server/config/config.h"
#include "wire/result.h"

namespace server {

// Fewer open files than this, and a server cannot even hold its log and its peers.
inline constexpr std::uint64_t open_files_min = 64;

// Lets this process open as many files as its hard limit allows, for every client's connection is
// one. Returns what an operator should know about it, which may be nothing; an error where the
// server cannot work with so few.
[[nodiscard]] wire::Result<std::string> raise_file_limit(const Config& config);

}  // namespace server
