#pragma once

#include "tools/bench/measurements.h"

namespace bench {

// The measurements with their limits, on standard output.
void print_table(const Measurements& measurements);
void print_json(const Measurements& measurements);
// On standard error.
void print_warnings(const Measurements& measurements);

}  // namespace bench
