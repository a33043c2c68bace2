#pragma once

namespace server {

// For the supervisor of the process: see docs/operations.md. A broken invariant aborts.
inline constexpr int exit_configuration = 2;
inline constexpr int exit_start = 3;  // the data directory, a port, or what else the system has
inline constexpr int exit_disk = 4;   // the log could not be written

}  // namespace server
