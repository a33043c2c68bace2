#pragma once

#include "tools/bench/clock.h"
#include "tools/bench/ensemble.h"
#include "tools/bench/measurements.h"

// Measurements of the C++ client, with the same servers as the lean client of `Load`.
namespace bench {

// Records the processor time of the client's own thread for each get with 64 outstanding, the
// latency of one get at a time, and the rate of events that it delivers.
void measure_client_library(Ensemble& ensemble, Measurements& measurements, Micros time);

}  // namespace bench
