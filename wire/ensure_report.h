#pragma once

#include <string_view>

namespace wire {

// Told about a broken invariant, in one line, before the process aborts.
using EnsureReport = void (*)(std::string_view line);

// From now on `report` is told. Before that, standard error is.
void report_broken_invariants_to(EnsureReport report);

}  // namespace wire
