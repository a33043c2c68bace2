#include "zab/learning.h"

#include <utility>

// What a learner does in every phase: it follows while its leader leads.
namespace zab {

Next Learning::enter(Turn& turn) {
  turn.confirm_to_all_links(notification(turn.state));
  if (turn.state.links.contains(leader_)) come(turn);
  return Stay{};
}

Next Learning::on(const Tick&, Turn& turn) {
  if (++silent_ticks_ <= turn.state.limits.sync_limit) return Stay{};
  return GoLooking{"server " + to_string(leader_) + " was silent for longer than the sync limit"};
}

Next Learning::on(const LinkUp& event, Turn& turn) {
  turn.confirm(event.server, notification(turn.state));
  if (event.server == leader_) come(turn);
  return Stay{};
}

Next Learning::on(const LinkDown& event, Turn&) {
  early_.erase(event.server);
  if (event.server != leader_) return Stay{};
  return GoLooking{"the link to the leader, server " + to_string(leader_) + ", is down"};
}

// The votes with which a leader was elected may still be on their way when it is followed already:
// only a later round, or another candidate, means that it does not lead.
Next Learning::on(ServerId from, const Notification& m, Turn& turn) {
  early_.erase(from);
  if (from != leader_) {
    if (m.stance == Stance::looking) turn.confirm(from, notification(turn.state));
    return Stay{};
  }
  if (m.stance == Stance::leading) return Stay{};
  if (m.stance == Stance::looking && m.round <= turn.state.round && m.vote.leader == leader_) {
    return Stay{};
  }
  turn.state.in_vain += 1;
  return GoLooking{"server " + to_string(leader_) + " does not lead"};
}

// Pings are behind the proposals that came before them, so where this history has the leader's last
// zxid it must have its hash too.
Next Learning::on(ServerId from, const Ping& m, Turn& turn) {
  if (from != leader_) return Stay{};
  const History& history = turn.state.durable.history;
  if (phase_ == Phase::broadcast && history.contains(m.last.zxid) && !history.contains(m.last)) {
    return illegal("a heartbeat with another history at " + wire::to_string(m.last.zxid));
  }
  silent_ticks_ = 0;
  turn.send(from, Pong{m.probe, history.last()});
  return Stay{};
}

// The leader stops, and names who has it all.
Next Learning::on(ServerId from, const Successor& m, Turn& turn) {
  State& state = turn.state;
  if (!is_from_leader(from)) return Stay{};
  if (!state.ensemble.is_voter(m.server)) return illegal("a successor that has no vote");
  if (m.server == state.self && phase_ != Phase::broadcast) return illegal("SUCCESSOR out of turn");
  state.round += 1;
  if (m.server == state.self) return GoLeading{std::move(early_)};
  if (!state.reaches(m.server)) {
    return GoLooking{"the successor, server " + to_string(m.server) + ", cannot be reached"};
  }
  return GoLearning{m.server};
}

Next Learning::on(ServerId from, const FollowerInfo& m, Turn&) {
  early_[from] = m;
  return Stay{};
}

GoLooking Learning::illegal(const std::string& what) const {
  return {"server " + to_string(leader_) + " sent " + what};
}

Notification Learning::notification(const State& state) const {
  const Stance stance = state.votes() ? Stance::following : Stance::observing;
  return notify(stance, {epoch_, state.durable.history.last().zxid, leader_}, state);
}

Standing Learning::standing(const State& state) const {
  const bool serving = phase_ == Phase::broadcast;
  const Stance stance = state.votes() ? Stance::following : Stance::observing;
  return {stance, serving, serving ? epoch_ : Epoch{}, leader_};
}

}  // namespace zab
