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

// How many files this process may open now.
[[nodiscard]] std::uint64_t open_files_max();

// The connections of clients that `open_files` leave. The log, the checkpoint and the other servers
// need the rest.
struct FilePlaces {
  std::uint32_t connections = 0;
  std::uint32_t kept = 0;  // for HTTP pages, and as many for connections that are being refused
};
[[nodiscard]] FilePlaces file_places(std::uint64_t open_files);

}  // namespace server
