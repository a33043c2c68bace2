#pragma once

#include "tools/bench/ensemble.h"
#include "tools/bench/measurements.h"

namespace bench {

// Records the longest time without an acknowledged write when the leader is killed, terminated or
// stopped, under "failover.kill", "failover.term" and "failover.stop".
void measure_failover(Ensemble& ensemble, Measurements& measurements);

}  // namespace bench
