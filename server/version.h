#pragma once

#include <string>

namespace server {

inline constexpr const char* version = "0.2.0";
// "zabkeeper 0.2.0": how files and other servers name this program.
[[nodiscard]] inline std::string program() { return std::string("zabkeeper ") + version; }

// Exit codes, for the supervisor of the process: see docs/operations.md.
inline constexpr int exit_configuration = 2;
inline constexpr int exit_start = 3;  // the data directory or a port cannot be used
inline constexpr int exit_disk = 4;   // the log could not be written

}  // namespace server
