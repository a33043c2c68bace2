#include "tools/shell/end_plan.h"

#include <algorithm>

namespace shell {
namespace {

using std::chrono::nanoseconds;

// As parts of the whole time: 6 means a sixth.
constexpr int terminated_with_left = 6;
constexpr int killed_with_left = 50;
constexpr int looks = 10;

constexpr nanoseconds grace = std::chrono::seconds(1);
// The time between two looks if there is no deadline.
constexpr nanoseconds pause_without_deadline = std::chrono::seconds(1);

}  // namespace

EndPlan::Step EndPlan::look(const Look& look) {
  // After a loss, `look.deadline` belongs to another session.
  if (look.deadline != Time::max() && !look.is_lost) {
    deadline_ = look.deadline;
    whole_ = std::max(whole_, nanoseconds(look.deadline - look.now));
  }
  const nanoseconds between_looks = deadline_ ? whole_ / looks : pause_without_deadline;
  const Time last = deadline_ ? *deadline_ - whole_ / killed_with_left : Time::max();
  if (look.is_lost) {
    if (!killed_at_) killed_at_ = std::min(look.now + grace, last);
    const bool is_due = look.now >= *killed_at_;
    next_look_ = is_due ? look.now + grace / looks : *killed_at_;
    return is_due ? Step::kill : Step::terminate;
  }
  const Time first = deadline_ ? *deadline_ - whole_ / terminated_with_left : Time::max();
  if (look.now < first) {
    next_look_ = std::min(look.now + between_looks, first);
    return Step::run;
  }
  next_look_ =
      look.now < last ? std::min(look.now + between_looks, last) : look.now + between_looks;
  return look.now < last ? Step::terminate : Step::kill;
}

}  // namespace shell
