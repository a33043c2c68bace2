#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/sim/cluster.h"

namespace sim {

struct Outcome {
  std::optional<std::string> violation;  // the invariant's name and a description
  Totals totals;
  std::uint64_t event_hash = 0;
};

// The load of the ensemble: transactions without meaning, or the service with clients.
enum class Mode : std::uint8_t { protocol, service };

// Runs one seed: first with faults, then healing.
[[nodiscard]] Outcome run_seed(std::uint64_t seed, const Trace& trace = {},
                               Mode mode = Mode::protocol);
// The command that repeats a seed.
[[nodiscard]] std::string command(std::uint64_t seed, Mode mode);

// A report about a failed seed: the command that repeats it, the last lines of the transcript, and
// the violation.
[[nodiscard]] std::string report(std::uint64_t seed, Mode mode = Mode::protocol);

}  // namespace sim
