#pragma once

#include <variant>

#include "zab/history.h"
#include "zab/messages.h"

namespace zab {

// The histories diverge before the part that is in memory: the log must be read.
struct ReadLog {
  bool operator==(const ReadLog&) const = default;
};

// How to synchronize a learner whose history ends at `learner` with the leader's `history`: the
// leader sends the transactions after the point in the plan. A `Trunc` is the leader's guess of the
// last common point. The learner checks it by the chain hash, or answers `Diverged` with an earlier
// point.
using SyncPlan = std::variant<Diff, Trunc, ReadLog>;
[[nodiscard]] SyncPlan plan_sync(Point learner, const History& history);

}  // namespace zab
