#pragma once

#include <vector>

#include "zab/ensemble.h"

// A second implementation of quorums, for the checkers. If they used the program's own
// implementation, they would not notice its errors.
namespace sim {

[[nodiscard]] bool is_voter(const zab::Ensemble& ensemble, zab::ServerId id);
[[nodiscard]] bool is_quorum(const zab::Ensemble& ensemble, const std::vector<zab::ServerId>& ids);

}  // namespace sim
