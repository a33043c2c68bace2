#include <algorithm>

#include "zab/leading.h"

// Phase 3, the leader's part: propose transactions, and commit in order those that a quorum holds.
namespace zab {

// Step l.3.1; LeaderProcessRequest; Leader.propose.
// Next: Driver::carry_out (server/replication/driver.cc) sends the proposal and writes the log.
Next Leading::on(const Submit& event, StepContext& context) {
  if (phase_ != Phase::broadcast || handing_over_) return Stay{};
  State& state = context.state;
  const Zxid last = state.durable.history.last().zxid;
  const Zxid zxid = last.epoch == epoch_ ? last.next() : Zxid{epoch_, 1};
  if (zxid.counter > state.limits.counter_max)
    return GoLooking{"the epoch's counter is used up", Note::Kind::counter_used_up};
  const Zxid done = state.last_committed;
  const std::uint64_t committed = done.epoch == epoch_ ? done.counter : 0;
  if (zxid.counter > committed + state.limits.outstanding_max) {
    context.effects.refused.push_back(event.payload);
    return Stay{};
  }

  const Txn& txn = state.durable.history.append(zxid, event.payload);
  for (const auto& [server, learner] : learners_) {
    if (server == state.self || learner.stage < Stage::synchronizing) continue;
    if (state.ensemble.is_voter(server)) context.send(server, Proposal{zxid, event.payload});
  }
  context.effects.persist.emplace_back(Append{txn});
  context.confirm(state.self, Ack{zxid});
  return Stay{};
}

// Step l.3.2; LeaderProcessACK; Leader.processAck. An ack includes everything before it, because a
// log is written in order.
Next Leading::on(ServerId from, const Ack& m, StepContext& context) {
  const auto found = learners_.find(from);
  if (found == learners_.end() || found->second.stage != Stage::adopted) return Stay{};
  const bool is_of_history = m.zxid.epoch == epoch_ && m.zxid.counter > 0 &&
                             m.zxid <= context.state.durable.history.last().zxid;
  if (!is_of_history) return Stay{};
  found->second.acked = std::max(found->second.acked, m.zxid);
  found->second.silent_ticks = 0;
  if (phase_ != Phase::broadcast) return Stay{};
  advance_commit(context);
  return hand_over_if_caught_up(context);
}

// Commits up to the last zxid that a quorum of voters holds durably.
// Next: Learning::on(Commit) (learning_broadcast.cc) on a follower.
void Leading::advance_commit(StepContext& context) {
  State& state = context.state;
  Zxid best = state.last_committed;
  for (const auto& [candidate, held] : learners_) {
    if (held.stage != Stage::adopted || held.acked <= best) continue;
    if (!state.ensemble.is_voter(candidate)) continue;
    std::vector<ServerId> holders;
    for (const auto& [server, learner] : learners_) {
      if (learner.stage == Stage::adopted && learner.acked >= held.acked) holders.push_back(server);
    }
    if (state.ensemble.is_quorum(holders)) best = held.acked;
  }
  if (best == state.last_committed) return;

  const Zxid before = state.last_committed;
  context.commit_to(best);
  const History& history = state.durable.history;
  for (const auto& [server, learner] : learners_) {
    if (server == state.self) continue;
    if (state.ensemble.is_voter(server)) {
      if (learner.stage == Stage::adopted) context.send(server, Commit{best});
      continue;
    }
    if (learner.stage < Stage::synchronizing) continue;
    for (auto txn = history.after(before); txn != history.end() && txn->zxid <= best; ++txn) {
      context.send(server, Inform{txn->zxid, txn->payload});
    }
  }
}

// A leader that is about to stop hands over its lead without an election. A voter that has
// everything leads next. Discovery checks that it may lead, as after any election.
Next Leading::on(const HandOver& event, StepContext& context) {
  if (phase_ != Phase::broadcast)
    return GoLooking{"asked to hand over the lead before its epoch was established"};
  successor_ = event.to;  // the latest request holds
  handing_over_ = true;
  return hand_over_if_caught_up(context);
}

Next Leading::hand_over_if_caught_up(StepContext& context) {
  State& state = context.state;
  const Zxid last = state.durable.history.last().zxid;
  if (!handing_over_ || state.last_committed != last) return Stay{};
  ServerId successor;
  for (const auto& [server, learner] : learners_) {
    const bool is_caught_up = learner.stage == Stage::adopted && learner.acked == last;
    const bool is_allowed = successor_.none() || server == successor_;
    if (is_caught_up && is_allowed && server != state.self && state.ensemble.is_voter(server)) {
      successor = server;
    }
  }
  if (successor.none()) return Stay{};
  for (const auto& [server, learner] : learners_) {
    if (server != state.self) context.send(server, Successor{successor});
  }
  state.round += 1;
  return GoLearning{successor};
}

// For reads that must see every write acknowledged before them. This server was still the leader at
// the time of the request if a quorum answers a ping that was sent after the request.
Next Leading::on(const ConfirmLeadership& event, StepContext& context) {
  if (phase_ != Phase::broadcast) return Stay{};
  waiting_.push_back({event.token, context.state.last_committed});
  if (probing_.empty()) begin_probe(context);
  return Stay{};
}

void Leading::begin_probe(StepContext& context) {
  probe_ += 1;
  probing_ = std::move(waiting_);
  waiting_.clear();
  learners_.at(context.state.self).probe = probe_;
  for (const auto& [server, learner] : learners_) {
    if (server == context.state.self) continue;
    context.send(server, Ping{probe_, context.state.durable.history.last()});
  }
  finish_probe(context);
}

Next Leading::on(ServerId from, const Pong& m, StepContext& context) {
  const auto found = learners_.find(from);
  if (found == learners_.end() || m.probe > probe_) return Stay{};
  found->second.silent_ticks = 0;
  found->second.probe = std::max(found->second.probe, m.probe);
  finish_probe(context);
  return Stay{};
}

void Leading::finish_probe(StepContext& context) {
  if (probing_.empty()) return;
  std::vector<ServerId> answered;
  for (const auto& [server, learner] : learners_) {
    if (learner.probe == probe_ && learner.stage == Stage::adopted) answered.push_back(server);
  }
  if (!context.state.ensemble.is_quorum(answered)) return;
  for (const PendingConfirmation& pending : probing_) {
    context.effects.confirmed.push_back({pending.token, pending.committed});
  }
  probing_.clear();
  if (!waiting_.empty()) begin_probe(context);
}

}  // namespace zab
