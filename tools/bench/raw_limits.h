#pragma once

#include <cstddef>
#include <filesystem>

#include "tools/bench/measurements.h"

// The speed of the machine's disk and loopback interface: no service on it can be faster.
namespace bench {

// Records "raw.sync", "raw.sync3" and "raw.loopback". Writes its files to `directory`.
void measure_raw_limits(Measurements& measurements, const std::filesystem::path& directory);

// Median microseconds for one message to another process that answers on `sockets` other
// connections, until the last answer; with 0, it answers on the same connection.
[[nodiscard]] double loopback_p50(std::size_t sockets, int rounds);

}  // namespace bench
