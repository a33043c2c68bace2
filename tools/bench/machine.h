#pragma once

#include <fstream>
#include <string>

#include "tools/bench/book.h"
#include "tools/bench/clock.h"

namespace bench {

// Time that the processors have spent so far, in ticks. proc(5): user nice system idle iowait irq
// softirq steal.
struct ProcessorTime {
  double total = 0;
  double idle = 0;
  double stolen = 0;

  static ProcessorTime now() {
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
};

// While the servers have nothing to do: whatever is busy now disturbs what is measured next.
inline void measure_others(Book& book) {
  const ProcessorTime before = ProcessorTime::now();
  sleep_for(seconds(0.25));
  const ProcessorTime after = ProcessorTime::now();
  const double passed = after.total - before.total;
  if (passed <= 0) return;
  book.note("machine.busy", 100 * (1 - (after.idle - before.idle) / passed));
}

// What the host took away since `begin`.
inline void note_stolen(Book& book, const ProcessorTime& begin) {
  const ProcessorTime end = ProcessorTime::now();
  if (end.total > begin.total) {
    book.note("machine.stolen", 100 * (end.stolen - begin.stolen) / (end.total - begin.total));
  }
}

}  // namespace bench
