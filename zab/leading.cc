#include "zab/leading.h"

#include <algorithm>

// What a leader does in every phase: who is there, and whether it is enough.
namespace zab {

Next Leading::enter(std::map<ServerId, FollowerInfo> early, Turn& turn) {
  const State& state = turn.state;
  vote_ = {state.durable.current_epoch, state.durable.history.last().zxid, state.self};
  turn.confirm_to_all_links(notification(state));
  Next next = on(state.self,
                 FollowerInfo{.accepted_epoch = state.durable.accepted_epoch,
                              .accepted_leader = state.durable.accepted_leader,
                              .last = state.durable.history.last()},
                 turn);
  for (const auto& [server, info] : early) {
    if (!std::holds_alternative<Stay>(next)) break;
    next = on(server, info, turn);
  }
  return next;
}

Next Leading::on(const Tick&, Turn& turn) {
  if (phase_ != Phase::broadcast && ++ticks_ > turn.state.limits.init_limit) {
    return GoLooking{"no quorum was brought level within the init limit"};
  }
  for (auto& [server, learner] : learners_) {
    if (server != turn.state.self) learner.silent_ticks += 1;
  }
  std::erase_if(learners_, [&](const auto& entry) {
    return entry.second.silent_ticks > turn.state.limits.sync_limit;
  });
  for (const auto& [server, learner] : learners_) {
    if (server == turn.state.self) continue;
    turn.send(server, Ping{probe_, turn.state.durable.history.last()});
  }
  return leave_if_alone(turn);
}

Next Leading::on(const LinkUp& event, Turn& turn) {
  turn.confirm(event.server, notification(turn.state));
  return Stay{};
}

// A lost link is acted on at once: waiting for silence would only make the outage longer.
Next Leading::on(const LinkDown& event, Turn& turn) {
  learners_.erase(event.server);
  return leave_if_alone(turn);
}

// A server that looks for a leader follows nobody, whatever it was before.
Next Leading::on(ServerId from, const Notification& m, Turn& turn) {
  if (m.stance == Stance::leading && m.vote.current_epoch > epoch_ && phase_ == Phase::broadcast) {
    return GoLooking{"server " + to_string(from) + " leads a later epoch"};
  }
  if (m.stance != Stance::looking) return Stay{};

  learners_.erase(from);
  turn.confirm(from, notification(turn.state));
  if (phase_ != Phase::broadcast && turn.state.ensemble.is_voter(from) &&
      (m.round > turn.state.round || (m.round == turn.state.round && m.vote > vote_))) {
    return GoLooking{"server " + to_string(from) +
                     " has a better vote, and no epoch is established"};
  }
  return leave_if_alone(turn);
}

// Without a quorum nothing can be committed: better to look for one at once.
Next Leading::leave_if_alone(Turn& turn) const {
  std::vector<ServerId> voters{turn.state.self};
  if (phase_ == Phase::broadcast) {
    voters = voters_at(Stage::connected, turn.state);
  } else {
    for (const auto& [server, attempts] : turn.state.links) voters.push_back(server);
  }
  if (turn.state.ensemble.is_quorum(voters)) return Stay{};
  return GoLooking{"no quorum of voters is connected"};
}

// The voters that have come at least as far as `stage`.
std::vector<ServerId> Leading::voters_at(Stage stage, const State& state) const {
  std::vector<ServerId> voters;
  for (const auto& [server, learner] : learners_) {
    if (learner.stage >= stage && state.ensemble.is_voter(server)) voters.push_back(server);
  }
  return voters;
}

Notification Leading::notification(const State& state) const {
  Vote vote = vote_;
  if (phase_ == Phase::broadcast) vote.current_epoch = epoch_;
  return {Stance::leading, state.round, vote};
}

Standing Leading::standing(const State& state) const {
  const bool serving = phase_ == Phase::broadcast;
  return {Stance::leading, serving, serving ? epoch_ : Epoch{}, state.self};
}

}  // namespace zab
