#include "zab/learning.h"

#include <utility>

// What a learner does in every phase: it follows while its leader leads.
namespace zab {

Next Learning::enter(StepContext& context) {
  context.confirm_to_all_links(notification(context.state));
  if (context.state.links.contains(leader_)) come(context);
  return Stay{};
}

Next Learning::on(const Tick&, StepContext& context) {
  if (++silent_ticks_ <= context.state.limits.sync_limit) return Stay{};
  return GoLooking{"server " + to_string(leader_) + " was silent for longer than the sync limit"};
}

Next Learning::on(const LinkUp& event, StepContext& context) {
  context.confirm(event.server, notification(context.state));
  if (event.server == leader_) come(context);
  return Stay{};
}

Next Learning::on(const LinkDown& event, StepContext&) {
  early_.erase(event.server);
  if (event.server != leader_) return Stay{};
  return GoLooking{"the link to the leader, server " + to_string(leader_) + ", is down"};
}

// The votes with which a leader was elected may still be on their way when it is followed already:
// only a later round, or another candidate, means that it does not lead.
Next Learning::on(ServerId from, const Notification& m, StepContext& context) {
  early_.erase(from);
  if (from != leader_) {
    if (m.role == Role::looking) context.confirm(from, notification(context.state));
    return Stay{};
  }
  if (m.role == Role::leading) return Stay{};
  if (m.role == Role::looking && m.round <= context.state.round && m.vote.leader == leader_) {
    return Stay{};
  }
  context.state.failed_elections += 1;
  return GoLooking{"server " + to_string(leader_) + " does not lead"};
}

// Pings are behind the proposals that came before them, so where this history has the leader's last
// zxid it must have its hash too.
Next Learning::on(ServerId from, const Ping& m, StepContext& context) {
  if (from != leader_) return Stay{};
  const History& history = context.state.durable.history;
  if (phase_ == Phase::broadcast && history.contains(m.last.zxid) && !history.contains(m.last)) {
    return illegal("a heartbeat with another history at " + wire::to_string(m.last.zxid));
  }
  silent_ticks_ = 0;
  context.send(from, Pong{m.probe, history.last()});
  return Stay{};
}

// The leader stops, and names who has it all.
Next Learning::on(ServerId from, const Successor& m, StepContext& context) {
  State& state = context.state;
  if (!is_from_leader(from)) return Stay{};
  if (!state.ensemble.is_voter(m.server)) return illegal("a successor that has no vote");
  if (m.server == state.self && phase_ != Phase::broadcast)
    return illegal("SUCCESSOR out of context");
  state.round += 1;
  if (m.server == state.self) return GoLeading{std::move(early_)};
  if (!state.reaches(m.server)) {
    return GoLooking{"the successor, server " + to_string(m.server) + ", cannot be reached"};
  }
  return GoLearning{m.server};
}

Next Learning::on(ServerId from, const FollowerInfo& m, StepContext&) {
  early_[from] = m;
  return Stay{};
}

GoLooking Learning::illegal(const std::string& what) const {
  return {"server " + to_string(leader_) + " sent " + what};
}

Notification Learning::notification(const State& state) const {
  const Role role = state.votes() ? Role::following : Role::observing;
  return notify(role, {epoch_, state.durable.history.last().zxid, leader_}, state);
}

RoleStatus Learning::role_status(const State& state) const {
  const bool serving = phase_ == Phase::broadcast;
  const Role role = state.votes() ? Role::following : Role::observing;
  return {role, serving, serving ? epoch_ : Epoch{}, leader_};
}

}  // namespace zab
