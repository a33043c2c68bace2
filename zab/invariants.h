#pragma once

#include "zab/state.h"

namespace zab {

// Aborts, in release builds too, if one of the statements about a single server does not hold.
// Called after every step.
void check(const State& state);

}  // namespace zab
