#pragma once

#include <cstdint>
#include <string>

#include "wire/result.h"

namespace server {

// With fewer open files than this, a server cannot open its log and the links to its peers.
inline constexpr std::uint64_t open_files_min = 64;

// Lets this process open as many files as its hard limit allows: every client's connection is one.
// `max_connections` is that of the configuration; 0: no limit. Returns a note for the operator, or
// an empty one. An error if the hard limit is too low for a server.
[[nodiscard]] wire::Result<std::string> raise_file_limit(std::uint32_t max_connections);

}  // namespace server
