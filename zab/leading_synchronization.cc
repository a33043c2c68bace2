#include <variant>

#include "zab/leading.h"

// Phase 2, the leader's part: a quorum takes over the leader's history.
namespace zab {

// Step l.2.1: the leader's own history is the initial one of its epoch.
void Leading::begin_synchronization(Turn& turn) {
  State& state = turn.state;
  phase_ = Phase::synchronization;
  state.durable.current_epoch = epoch_;
  const Zxid last = state.durable.history.last().zxid;
  turn.effects.persist.emplace_back(AdoptHistory{epoch_, last, {}});

  for (auto& [server, learner] : learners_) {
    if (server == state.self) {  // whether or not its own ACKEPOCH was among the first
      learner.stage = Stage::synchronizing;
      learner.synced_to = last;
      turn.confirm(server, AckNewLeader{epoch_});
    } else if (learner.stage == Stage::accepted && state.ensemble.is_voter(server)) {
      synchronize(server, learner, plan_sync(learner.last, state.durable.history), turn);
    }
  }
}

// LeaderSyncFollower; LearnerHandler.syncFollower. From here on the learner gets every proposal,
// not only once it has acknowledged NEWLEADER (issue 1 of the specification's issues.md): otherwise
// it would miss those made in between. An observer is sent only what is committed.
void Leading::synchronize(ServerId id, Learner& learner, const SyncPlan& plan, Turn& turn) {
  const State& state = turn.state;
  const History& history = state.durable.history;
  const Zxid end = state.ensemble.is_voter(id) ? history.last().zxid : state.last_committed;

  std::visit([&](const auto& message) { turn.send(id, message); }, plan);
  const Point from =
      std::holds_alternative<Diff>(plan) ? std::get<Diff>(plan).from : std::get<Trunc>(plan).to;
  for (auto txn = history.after(from.zxid); txn != history.end() && txn->zxid <= end; ++txn) {
    turn.send(id, Proposal{txn->zxid, txn->payload});
  }
  turn.send(id, NewLeader{epoch_});
  learner.stage = Stage::synchronizing;
  learner.synced_to = end;
}

// The guess of a common point was wrong; the learner names an earlier one.
Next Leading::on(ServerId from, const Diverged& m, Turn& turn) {
  const auto found = learners_.find(from);
  if (found == learners_.end() || found->second.stage != Stage::synchronizing) return Stay{};
  const Trunc plan{turn.state.durable.history.common_candidate(m.last)};
  synchronize(from, found->second, plan, turn);
  return Stay{};
}

// Step l.2.2; LeaderProcessACKLD; Leader.waitForNewLeaderAck.
Next Leading::on(ServerId from, const AckNewLeader& m, Turn& turn) {
  const auto found = learners_.find(from);
  if (found == learners_.end() || m.epoch != epoch_) return Stay{};
  Learner& learner = found->second;
  if (learner.stage != Stage::synchronizing) return Stay{};
  learner.stage = Stage::adopted;
  learner.acked = learner.synced_to;

  if (phase_ == Phase::broadcast) {
    if (from != turn.state.self) bring_up_to_date(from, learner, turn);
    advance_commit(turn);
  } else if (turn.state.ensemble.is_quorum(voters_at(Stage::adopted, turn.state))) {
    establish(turn);
  }
  return Stay{};
}

// The epoch is established: its initial history is committed, all of it, whoever proposed it.
void Leading::establish(Turn& turn) {
  phase_ = Phase::broadcast;
  turn.commit_to(turn.state.durable.history.last().zxid);
  for (auto& [server, learner] : learners_) {
    if (server == turn.state.self) continue;
    if (learner.stage == Stage::adopted) bring_up_to_date(server, learner, turn);
    if (learner.stage == Stage::accepted) {  // an observer, or a voter that came late
      synchronize(server, learner, plan_sync(learner.last, turn.state.durable.history), turn);
    }
  }
}

// UPTODATE carries the leader's latest committed zxid, not that of NEWLEADER (issue 3 of the
// specification's issues.md). An observer first gets what was committed since its synchronization.
void Leading::bring_up_to_date(ServerId id, Learner& learner, Turn& turn) {
  const State& state = turn.state;
  if (!state.ensemble.is_voter(id)) {
    const History& history = state.durable.history;
    for (auto txn = history.after(learner.synced_to);
         txn != history.end() && txn->zxid <= state.last_committed; ++txn) {
      turn.send(id, Proposal{txn->zxid, txn->payload});
    }
  }
  turn.send(id, UpToDate{state.last_committed});
}

}  // namespace zab
