#include "tools/bench/machine.h"

#include <fstream>
#include <string>

#include "tools/bench/clock.h"

namespace bench {

// proc(5): the columns are user nice system idle iowait irq softirq steal.
ProcessorTime ProcessorTime::now() {
  std::ifstream in("/proc/stat");
  std::string name;
  in >> name;
  ProcessorTime time;
  double ticks = 0;
  for (int i = 0; i < 8 && in >> ticks; ++i) {
    time.total += ticks;
    if (i == 3 || i == 4) time.idle += ticks;
    if (i == 7) time.stolen += ticks;
  }
  return time;
}

void measure_other_load(Measurements& measurements) {
  const ProcessorTime before = ProcessorTime::now();
  sleep_for(seconds(0.25));
  const ProcessorTime after = ProcessorTime::now();
  const double passed = after.total - before.total;
  if (passed <= 0) return;
  measurements.record("machine.busy", 100 * (1 - (after.idle - before.idle) / passed));
}

void measure_stolen_time(Measurements& measurements, const ProcessorTime& begin) {
  const ProcessorTime end = ProcessorTime::now();
  const double passed = end.total - begin.total;
  if (passed <= 0) return;
  measurements.record("machine.stolen", 100 * (end.stolen - begin.stolen) / passed);
}

}  // namespace bench
