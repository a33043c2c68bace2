#pragma once

#include <variant>

#include "zab/history.h"
#include "zab/messages.h"

namespace zab {

// How a learner whose history ends at `learner` is brought level with `history`: what comes after
// the point in the plan is sent. A `Trunc` is the leader's guess at the last common point; the
// learner proves it by the chain hash, or answers `Diverged` with an earlier one.
using SyncPlan = std::variant<Diff, Trunc>;
[[nodiscard]] SyncPlan plan_sync(Point learner, const History& history);

}  // namespace zab
