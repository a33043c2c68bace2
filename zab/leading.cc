#include "zab/leading.h"

#include <algorithm>

// The leader's part in every phase: which voters are connected, and whether they are enough.
namespace zab {

Next Leading::enter(std::map<ServerId, FollowerInfo> early, StepContext& context) {
  const State& state = context.state;
  vote_ = {state.durable.current_epoch, state.durable.history.last().zxid, state.self};
  context.confirm_to_all_links(notification(state));
  Next next = on(state.self, make_follower_info(0, state), context);
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
  if (phase_ != Phase::broadcast && ++ticks_without_progress_ > context.state.limits.init_limit) {
    return GoLooking{"no quorum was synchronized within the init limit"};
  }
  if (handing_over_ && ++handing_over_ticks_ > context.state.limits.sync_limit) {
    return GoLooking{"handover failed: no follower caught up within the sync limit"};
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
  return give_up_without_quorum(context);
}

Next Leading::on(const LinkUp& event, StepContext& context) {
  context.confirm(event.server, notification(context.state));
  return Stay{};
}

// Handles a lost link at once: waiting for the timeout would only make the outage longer.
Next Leading::on(const LinkDown& event, StepContext& context) {
  learners_.erase(event.server);
  engaged_elsewhere_.erase(event.server);
  return give_up_without_quorum(context);
}

// A server that looks for a leader follows no leader any more, whatever its role was before.
Next Leading::on(ServerId from, const Notification& m, StepContext& context) {
  if (m.role == Role::leading && m.vote.current_epoch > epoch_ && phase_ == Phase::broadcast) {
    return GoLooking{"server " + to_string(from) + " leads a later epoch"};
  }
  if (m.role != Role::looking) {
    if (phase_ == Phase::broadcast || m.vote.leader == context.state.self) return Stay{};
    engaged_elsewhere_.insert(from);
    return give_up_without_quorum(context);
  }
  engaged_elsewhere_.erase(from);
  learners_.erase(from);
  context.confirm(from, notification(context.state));
  if (phase_ != Phase::broadcast && context.state.ensemble.is_voter(from)) {
    if (m.round > context.state.round || (m.round == context.state.round && m.vote > vote_)) {
      context.state.elections_given_up += 1;
      return GoLooking{"server " + to_string(from) +
                       " has a better vote, and no epoch is established"};
    }
    if (basis_ == ElectionBasis::founding && !m.cluster.none()) {
      return GoLooking{"server " + to_string(from) + " already belongs to a cluster"};
    }
  }
  return give_up_without_quorum(context);
}

// Without a quorum nothing can be committed, so the leader gives up at once and looks for one.
Next Leading::give_up_without_quorum(StepContext& context) const {
  const State& state = context.state;
  bool enough = false;
  if (phase_ == Phase::broadcast) {
    enough = state.ensemble.is_quorum(voters_at(Stage::connected, state));
  } else {
    std::vector<ServerId> voters{state.self};
    for (const auto& [server, attempts] : state.links) {
      if (state.reaches(server) && !engaged_elsewhere_.contains(server)) voters.push_back(server);
    }
    enough = satisfies_basis(voters, state);
  }
  if (enough) return Stay{};
  return GoLooking{"no quorum of voters is connected"};
}

bool Leading::satisfies_basis(const std::vector<ServerId>& voters, const State& state) const {
  if (basis_ != ElectionBasis::unanimous) return state.ensemble.is_quorum(voters);
  return state.ensemble.are_all_voters(voters);
}

bool Leading::counts_before_establishment(ServerId id, const Learner& learner,
                                          const State& state) const {
  if (!state.ensemble.is_voter(id)) return false;
  switch (basis_) {
    case ElectionBasis::quorum: return learner.disk_state == DiskState::sound;
    case ElectionBasis::founding: return learner.disk_state != DiskState::damaged;
    case ElectionBasis::unanimous: return true;
  }
  return false;
}

// Whether the learners at `stage` are enough to continue. A server that has adopted the leader's
// history counts, whatever its disk was before.
bool Leading::is_basis_met_at(Stage stage, const State& state) const {
  std::vector<ServerId> voters = voters_at(stage, state);
  if (stage == Stage::adopted) return state.ensemble.is_quorum(voters);
  std::erase_if(voters, [&](ServerId server) {
    return !counts_before_establishment(server, learners_.at(server), state);
  });
  return satisfies_basis(voters, state);
}

// The voters that have reached at least `stage`.
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
  return make_notification(Role::leading, vote, state);
}

RoleStatus Leading::role_status(const State& state) const {
  const bool serving = phase_ == Phase::broadcast && !handing_over_;
  return {Role::leading, serving, serving ? epoch_ : Epoch{}, state.self};
}

}  // namespace zab
