#pragma once

#include "tools/bench/measurements.h"

// How busy the machine is with other things than the measurement.
namespace bench {

// The processors' time since the machine started, in ticks.
struct ProcessorTime {
  double total = 0;
  double idle = 0;
  double stolen = 0;  // by the host of a virtual machine

  static ProcessorTime now();
};

// Records how busy the processors are while the servers are idle: the same load disturbs the
// measurements that follow.
void measure_other_load(Measurements& measurements);

// Records the processor time that the host has stolen since `begin`.
void measure_stolen_time(Measurements& measurements, const ProcessorTime& begin);

}  // namespace bench
