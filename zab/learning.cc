#include "zab/learning.h"

#include <utility>

// The learner's part in every phase: it follows as long as its leader leads.
namespace zab {

Next Learning::enter(StepContext& context) {
  context.confirm_to_all_links(notification(context.state));
  if (context.state.links.contains(leader_)) send_follower_info(context);
  return Stay{};
}

Next Learning::on(const Tick&, StepContext& context) {
  if (++silent_ticks_ <= context.state.limits.sync_limit) return Stay{};
  return GoLooking{"server " + to_string(leader_) + " was silent for longer than the sync limit"};
}

Next Learning::on(const LinkUp& event, StepContext& context) {
  context.confirm(event.server, notification(context.state));
  if (event.server == leader_) send_follower_info(context);
  return Stay{};
}

Next Learning::on(const LinkDown& event, StepContext&) {
  early_follower_infos_.erase(event.server);
  if (event.server != leader_) return Stay{};
  return GoLooking{"the link to the leader, server " + to_string(leader_) + ", is down"};
}

// Some votes of the leader's own election may arrive only now. They do not mean that it stopped
// leading: only a vote of a later round, or for another candidate, does.
Next Learning::on(ServerId from, const Notification& m, StepContext& context) {
  early_follower_infos_.erase(from);
  if (from != leader_) {
    if (m.role == Role::looking) context.confirm(from, notification(context.state));
    return Stay{};
  }
  if (m.role == Role::leading) return Stay{};
  if (m.role == Role::looking && m.round <= context.state.round && m.vote.leader == leader_) {
    return Stay{};
  }
  context.state.elections_given_up += 1;
  return GoLooking{"server " + to_string(leader_) + " does not lead"};
}

// A ping arrives after all earlier proposals. So if this history contains the leader's last zxid,
// it must contain it with the same hash.
Next Learning::on(ServerId from, const Ping& m, StepContext& context) {
  if (from != leader_) return Stay{};
  const History& history = context.state.durable.history;
  if (phase_ == Phase::broadcast && history.contains(m.last.zxid) && !history.contains(m.last)) {
    return protocol_error("a heartbeat with a different history at " +
                          wire::to_string(m.last.zxid));
  }
  silent_ticks_ = 0;
  context.send(from, Pong{m.probe, history.last()});
  return Stay{};
}

// The leader stops, and names a successor that has the whole history.
Next Learning::on(ServerId from, const Successor& m, StepContext& context) {
  State& state = context.state;
  if (!is_from_leader(from)) return Stay{};
  if (!state.ensemble.is_voter(m.server))
    return protocol_error("SUCCESSOR with a server that is not a voter");
  if (m.server == state.self && phase_ != Phase::broadcast)
    return protocol_error("an unexpected SUCCESSOR");
  state.round += 1;
  if (m.server == state.self) return GoLeading{std::move(early_follower_infos_)};
  if (!state.reaches(m.server)) {
    return GoLooking{"the successor, server " + to_string(m.server) + ", cannot be reached"};
  }
  return GoLearning{m.server};
}

Next Learning::on(ServerId from, const FollowerInfo& m, StepContext&) {
  early_follower_infos_[from] = m;
  return Stay{};
}

GoLooking Learning::protocol_error(const std::string& what) const {
  return {"server " + to_string(leader_) + " sent " + what, Note::Kind::protocol_error};
}

Notification Learning::notification(const State& state) const {
  const Role role = state.votes() ? Role::following : Role::observing;
  return make_notification(role, {epoch_, state.durable.history.last().zxid, leader_}, state);
}

RoleStatus Learning::role_status(const State& state) const {
  const bool serving = phase_ == Phase::broadcast;
  const Role role = state.votes() ? Role::following : Role::observing;
  return {role, serving, serving ? epoch_ : Epoch{}, leader_};
}

}  // namespace zab
