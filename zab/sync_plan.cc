#include "zab/sync_plan.h"

namespace zab {

SyncPlan plan_sync(Point learner, const History& history) {
  const Point base = history.base();
  if (learner.zxid <= base.zxid && learner != base) return ReadLog{};
  const Point common = history.common_candidate(learner);
  if (common == learner) return Diff{common};
  return Trunc{common};
}

}  // namespace zab
