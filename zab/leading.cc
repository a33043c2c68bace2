#include "zab/leading.h"

#include <algorithm>

// What a leader does in every phase: who is there, and whether it is enough.
namespace zab {

Next Leading::enter(std::map<ServerId, FollowerInfo> early, StepContext& context) {
  const State& state = context.state;
  vote_ = {state.durable.current_epoch, state.durable.history.last().zxid, state.self};
  context.confirm_to_all_links(notification(state));
  Next next = on(state.self, introduce(0, state), context);
  for (const auto& [server, info] : early) {
    if (info.accepted_epoch.value < Epoch::max) {
      context.state.epoch_seen = std::max(context.state.epoch_seen, info.accepted_epoch);
    }
  }
  for (const auto& [server, info] : early) {
    if (!std::holds_alternative<Stay>(next)) break;
    next = on(server, info, context);
  }
  return next;
}

Next Leading::on(const Tick&, StepContext& context) {
  if (phase_ != Phase::broadcast && ++ticks_ > context.state.limits.init_limit) {
    return GoLooking{"no quorum was brought level within the init limit"};
  }
  if (handing_over_ && ++handing_over_ticks_ > context.state.limits.sync_limit) {
    return GoLooking{"nobody was level enough to be handed the lead"};
  }
  for (auto& [server, learner] : learners_) {
    if (server != context.state.self) learner.silent_ticks += 1;
  }
  std::erase_if(learners_, [&](const auto& entry) {
    return entry.second.silent_ticks > context.state.limits.sync_limit;
  });
  for (const auto& [server, learner] : learners_) {
    if (server == context.state.self) continue;
    context.send(server, Ping{probe_, context.state.durable.history.last()});
  }
  return leave_if_alone(context);
}

Next Leading::on(const LinkUp& event, StepContext& context) {
  context.confirm(event.server, notification(context.state));
  return Stay{};
}

// A lost link is acted on at once: waiting for silence would only make the outage longer.
Next Leading::on(const LinkDown& event, StepContext& context) {
  learners_.erase(event.server);
  elsewhere_.erase(event.server);
  return leave_if_alone(context);
}

// A server that looks for a leader follows nobody, whatever it was before.
Next Leading::on(ServerId from, const Notification& m, StepContext& context) {
  if (m.role == Role::leading && m.vote.current_epoch > epoch_ && phase_ == Phase::broadcast) {
    return GoLooking{"server " + to_string(from) + " leads a later epoch"};
  }
  if (m.role != Role::looking) {
    if (phase_ == Phase::broadcast || m.vote.leader == context.state.self) return Stay{};
    elsewhere_.insert(from);
    return leave_if_alone(context);
  }
  elsewhere_.erase(from);
  learners_.erase(from);
  context.confirm(from, notification(context.state));
  if (phase_ != Phase::broadcast && context.state.ensemble.is_voter(from)) {
    if (m.round > context.state.round || (m.round == context.state.round && m.vote > vote_)) {
      context.state.failed_elections += 1;
      return GoLooking{"server " + to_string(from) +
                       " has a better vote, and no epoch is established"};
    }
    if (basis_ == ElectionBasis::founding && !m.cluster.none()) {
      return GoLooking{"server " + to_string(from) + " belongs to a cluster already"};
    }
  }
  return leave_if_alone(context);
}

// Without a quorum nothing can be committed: better to look for one at once.
Next Leading::leave_if_alone(StepContext& context) const {
  const State& state = context.state;
  bool enough = false;
  if (phase_ == Phase::broadcast) {
    enough = state.ensemble.is_quorum(voters_at(Stage::connected, state));
  } else {
    std::vector<ServerId> voters{state.self};
    for (const auto& [server, attempts] : state.links) {
      if (state.reaches(server) && !elsewhere_.contains(server)) voters.push_back(server);
    }
    enough = is_mandated(voters, state);
  }
  if (enough) return Stay{};
  return GoLooking{"no quorum of voters is connected"};
}

bool Leading::is_mandated(const std::vector<ServerId>& voters, const State& state) const {
  if (basis_ != ElectionBasis::whole) return state.ensemble.is_quorum(voters);
  return state.ensemble.are_all_voters(voters);
}

bool Leading::has_a_voice(ServerId id, const Learner& learner, const State& state) const {
  if (!state.ensemble.is_voter(id)) return false;
  switch (basis_) {
    case ElectionBasis::quorum: return learner.condition == Condition::sound;
    case ElectionBasis::founding: return learner.condition != Condition::damaged;
    case ElectionBasis::whole: return true;
  }
  return false;
}

// Whether those at `stage` give this server the right to go on. Once a server has adopted the
// leader's history, it is as sound as any.
bool Leading::are_enough_at(Stage stage, const State& state) const {
  std::vector<ServerId> voters = voters_at(stage, state);
  if (stage == Stage::adopted) return state.ensemble.is_quorum(voters);
  std::erase_if(voters,
                [&](ServerId server) { return !has_a_voice(server, learners_.at(server), state); });
  return is_mandated(voters, state);
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
  return notify(Role::leading, vote, state);
}

RoleStatus Leading::role_status(const State& state) const {
  const bool serving = phase_ == Phase::broadcast && !handing_over_;
  return {Role::leading, serving, serving ? epoch_ : Epoch{}, state.self};
}

}  // namespace zab
