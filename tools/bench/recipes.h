#pragma once

#include <cstddef>

#include "tools/bench/clock.h"
#include "tools/bench/ensemble.h"
#include "tools/bench/measurements.h"

// Measurements of the recipes of the C++ client.
namespace bench {

// Records how often a second a lock passes from holder to holder: each of the contenders acquires
// and releases it in a loop.
void measure_locks(Ensemble& ensemble, Measurements& measurements, std::size_t contenders,
                   Micros time);

// Records how many generations of a double barrier so many clients pass in a second: each of them
// enters and leaves it in a loop.
void measure_double_barrier(Ensemble& ensemble, Measurements& measurements,
                            std::size_t participants, Micros time);

// Records the time from the begin of a resignation until the next candidate knows that it leads.
void measure_resignations(Ensemble& ensemble, Measurements& measurements, Micros time);

}  // namespace bench
