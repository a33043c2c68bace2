#pragma once

#include "zab/state.h"

namespace zab {

// Checks the invariants of a single peer. Aborts, in release builds too, if one does not hold.
// Called after every step.
void check(const State& state);

}  // namespace zab
