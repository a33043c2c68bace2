#include "zab/step_context.h"

#include "wire/ensure.h"

namespace zab {

void StepContext::commit_to(Zxid zxid) const {
  ensure(zxid >= state.last_committed, "the commit point never moves back");
  const History& history = state.durable.history;
  ensure(history.contains(zxid), "only transactions in the history are committed");
  state.last_committed = zxid;
  for (auto txn = history.after(state.last_delivered); txn != history.end() && txn->zxid <= zxid;
       ++txn) {
    effects.deliver.push_back(*txn);
    state.last_delivered = txn->zxid;
  }
}

void StepContext::adopt_snapshot(Point at) const {
  state.last_committed = at.zxid;
  state.last_delivered = at.zxid;
  effects.restore = at;
}

void StepContext::mark_founded() const {
  if (!state.durable.founded) persist(MarkFounded{});
}

Notification make_notification(Role role, const Vote& vote, const State& state) {
  const Durable& durable = state.durable;
  return {.role = role,
          .round = state.round,
          .vote = vote,
          .disk_state = durable.disk_state(),
          .claim = durable.claim(),
          .cluster = durable.known_cluster()};
}

FollowerInfo make_follower_info(std::uint64_t attempt, const State& state) {
  const Durable& durable = state.durable;
  return {.accepted_epoch = durable.accepted_epoch,
          .accepted_leader = durable.accepted_leader,
          .last = durable.history.last(),
          .attempt = attempt,
          .disk_state = durable.disk_state(),
          .claim = durable.claim()};
}

}  // namespace zab
