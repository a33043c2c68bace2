#pragma once

#include <variant>

#include "zab/history.h"
#include "zab/messages.h"

namespace zab {

// The two part before what is in memory: the log has to be asked.
struct ReadLog {
  bool operator==(const ReadLog&) const = default;
};

// How a learner whose history ends at `learner` is brought level with `history`: what comes after
// the point in the plan is sent. A `Trunc` is the leader's guess at the last common point; the
// learner proves it by the chain hash, or answers `Diverged` with an earlier one.
using SyncPlan = std::variant<Diff, Trunc, ReadLog>;
[[nodiscard]] SyncPlan plan_sync(Point learner, const History& history);

}  // namespace zab
