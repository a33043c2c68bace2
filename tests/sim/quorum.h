#pragma once

#include <vector>

#include "zab/ensemble.h"

// What a quorum is, said once more for the checkers: one that asked the program itself would not
// see it go wrong.
namespace sim {

[[nodiscard]] bool is_voter(const zab::Ensemble& ensemble, zab::ServerId id);
[[nodiscard]] bool is_quorum(const zab::Ensemble& ensemble, const std::vector<zab::ServerId>& ids);

}  // namespace sim
