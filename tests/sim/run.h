#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/sim/cluster.h"

namespace sim {

struct Outcome {
  std::optional<std::string> violation;  // the invariant's name, and what happened
  Totals totals;
  std::uint64_t event_hash = 0;
};

// What runs on the ensemble: transactions without a meaning, or the whole service.
enum class Mode : std::uint8_t { protocol, service };

// Everything that one seed stands for: faults, then healing.
[[nodiscard]] Outcome run_seed(std::uint64_t seed, const Trace& trace = {},
                               Mode mode = Mode::protocol);
// The command that repeats it.
[[nodiscard]] std::string command(std::uint64_t seed, Mode mode);

// What a person needs who sees a seed fail: the command that repeats it, the invariant's name, and
// the last lines of the transcript.
[[nodiscard]] std::string report(std::uint64_t seed, Mode mode = Mode::protocol);

}  // namespace sim
