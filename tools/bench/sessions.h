#pragma once

#include <cstddef>
#include <string>

#include "tools/bench/ensemble.h"
#include "tools/bench/measurements.h"

// Measurements of many sessions.
namespace bench {

// Records the rate and the processor time of opening sessions, 64 at once.
void measure_session_creation(Ensemble& ensemble, Measurements& measurements);

// Records the memory of an idle server and of each idle session. The servers must be fresh: memory
// that they have used and freed before would be used again.
void measure_memory(Ensemble& ensemble, Measurements& measurements);

// Records under `name` the milliseconds from a set to the last of the `watchers` events it causes.
void measure_fan_out(Ensemble& ensemble, Measurements& measurements, const std::string& name,
                     std::size_t watchers, int rounds);

}  // namespace bench
