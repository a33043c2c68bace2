#include <variant>

#include "wire/ensure.h"
#include "zab/leading.h"

// Phase 2, the leader's part: a quorum adopts the leader's history.
namespace zab {

// Step l.2.1: the leader's own history is the initial one of its epoch.
void Leading::begin_synchronization(StepContext& context) {
  State& state = context.state;
  phase_ = Phase::synchronization;
  ticks_without_progress_ = 0;
  const Point last = state.durable.history.last();
  context.persist(AdoptHistory{
      .epoch = epoch_, .cluster = cluster_, .from = last, .snapshot = false, .txns = {}});

  for (auto& [server, learner] : learners_) {
    if (server == state.self) {  // even if its own ACKEPOCH has not come back yet
      learner.stage = Stage::synchronizing;
      learner.synced_to = last.zxid;
      context.confirm(server, AckNewLeader{epoch_});
    } else if (learner.stage == Stage::accepted &&
               counts_before_establishment(server, learner, state)) {
      synchronize(server, learner, context);
    }
  }
}

// LeaderSyncFollower; LearnerHandler.syncFollower.
void Leading::synchronize(ServerId id, Learner& learner, StepContext& context) {
  const SyncPlan plan = plan_sync(learner.last, context.state.durable.history);
  if (std::holds_alternative<ReadLog>(plan)) {
    learner.stage = Stage::reading;
    learner.sync_start_sent = false;
    learner.read_to = learner.last;
    return read_log(id, learner, context);
  }
  const auto* diff = std::get_if<Diff>(&plan);
  const Point from = diff != nullptr ? diff->from : std::get<Trunc>(plan).to;
  send_sync_start(id, learner, from, context);
  send_rest(id, learner, from, context);
}

// Tells the learner that the next proposals come after `from`. A learner whose history ends
// elsewhere must truncate it to `from`.
void Leading::send_sync_start(ServerId id, const Learner& learner, Point from,
                              StepContext& context) const {
  if (from == learner.last && !learner.diverged) {
    context.send(id, Diff{from});
  } else {
    context.send(id, Trunc{from});
  }
}

void Leading::read_log(ServerId id, Learner& learner, StepContext& context) {
  learner.ticket = ++context.state.read_tickets;
  context.effects.read.emplace_back(ReadHistory{id, learner.ticket, learner.read_to});
}

void Leading::read_snapshot(ServerId id, Learner& learner, StepContext& context) {
  learner.ticket = ++context.state.read_tickets;
  context.effects.read.emplace_back(ReadSnapshot{id, learner.ticket, !learner.sync_start_sent});
}

// The learner that this read is for; null if it is gone, or if the read was replaced by a later
// one.
Leading::Learner* Leading::find_reading(ServerId id, std::uint64_t ticket) {
  const auto found = learners_.find(id);
  if (found == learners_.end() || found->second.stage != Stage::reading) return nullptr;
  return found->second.ticket == ticket ? &found->second : nullptr;
}

// Sends transactions that are older than the history in memory, one read after the other.
Next Leading::on(const HistoryRead& event, StepContext& context) {
  Learner* learner = find_reading(event.learner, event.ticket);
  if (learner == nullptr) return Stay{};
  if (!event.txns.empty()) ticks_without_progress_ = 0;
  if (!event.from) {  // the log begins later, or was purged meanwhile
    learner->sync_start_sent = false;
    read_snapshot(event.learner, *learner, context);
    return Stay{};
  }
  if (!learner->sync_start_sent) {
    send_sync_start(event.learner, *learner, *event.from, context);
    learner->sync_start_sent = true;
    learner->read_to = *event.from;
  }
  ensure(*event.from == learner->read_to, "a later read continues where the earlier one ended");
  const bool votes = context.state.ensemble.is_voter(event.learner);
  for (const Txn& txn : event.txns) {
    if (!votes && txn.zxid > context.state.last_committed) break;  // it will be sent as INFORM
    context.send(event.learner, Proposal{txn.zxid, txn.payload});
    learner->read_to = txn.point();
  }
  continue_reading(event.learner, *learner, context);
  return Stay{};
}

Next Leading::on(const SnapshotRead& event, StepContext& context) {
  Learner* learner = find_reading(event.learner, event.ticket);
  if (learner == nullptr) return Stay{};
  ticks_without_progress_ = 0;
  if (!learner->sync_start_sent) {
    ensure(event.at.zxid <= context.state.last_committed,
           "a snapshot contains only committed transactions");
    context.send(event.learner, Snap{event.at});
    learner->sync_start_sent = true;
  }
  context.send(event.learner, SnapChunk{event.bytes, event.last});
  if (event.last) {
    learner->read_to = event.at;
    continue_reading(event.learner, *learner, context);
  } else {
    read_snapshot(event.learner, *learner, context);
  }
  return Stay{};
}

void Leading::continue_reading(ServerId id, Learner& learner, StepContext& context) {
  if (learner.read_to.zxid < context.state.durable.history.base().zxid) {
    read_log(id, learner, context);
  } else {
    send_rest(id, learner, learner.read_to, context);
  }
}

// From now on the learner is sent every proposal, not only after it has acknowledged NEWLEADER
// (issue 1 of the specification's issues.md). Otherwise it would miss the proposals made in
// between. An observer is sent only committed transactions.
void Leading::send_rest(ServerId id, Learner& learner, Point from, StepContext& context) {
  const State& state = context.state;
  const History& history = state.durable.history;
  ensure(history.contains(from), "the history contains the point where the learner ends");
  const Zxid end = state.ensemble.is_voter(id) ? history.last().zxid : state.last_committed;
  for (auto txn = history.after(from.zxid); txn != history.end() && txn->zxid <= end; ++txn) {
    context.send(id, Proposal{txn->zxid, txn->payload});
  }
  context.send(id, NewLeader{epoch_});
  learner.stage = Stage::synchronizing;
  learner.synced_to = end;
}

// The leader's guess of the last common point was wrong. The learner names an earlier point.
Next Leading::on(ServerId from, const Diverged& m, StepContext& context) {
  const auto found = learners_.find(from);
  if (found == learners_.end() || found->second.stage < Stage::reading) return Stay{};
  if (found->second.stage == Stage::adopted) return Stay{};
  found->second.last = m.last;
  found->second.diverged = true;
  synchronize(from, found->second, context);
  return Stay{};
}

// Step l.2.2; LeaderProcessACKLD; Leader.waitForNewLeaderAck.
Next Leading::on(ServerId from, const AckNewLeader& m, StepContext& context) {
  const auto found = learners_.find(from);
  if (found == learners_.end() || m.epoch != epoch_) return Stay{};
  Learner& learner = found->second;
  if (learner.stage != Stage::synchronizing) return Stay{};
  learner.stage = Stage::adopted;
  learner.acked = learner.synced_to;

  ticks_without_progress_ = 0;
  if (phase_ == Phase::broadcast) {
    if (from != context.state.self) context.send(from, UpToDate{context.state.last_committed});
    advance_commit(context);
    return hand_over_if_caught_up(context);
  }
  if (is_basis_met_at(Stage::adopted, context.state)) establish(context);
  return Stay{};
}

// The epoch is established: its whole initial history is committed, even proposals of earlier
// leaders. UPTODATE carries the leader's latest committed zxid, not that of NEWLEADER (issue 3 of
// the specification's issues.md).
void Leading::establish(StepContext& context) {
  phase_ = Phase::broadcast;
  context.commit_to(context.state.durable.history.last().zxid);
  context.mark_founded();
  for (auto& [server, learner] : learners_) {
    if (server == context.state.self) continue;
    if (learner.stage == Stage::adopted)
      context.send(server, UpToDate{context.state.last_committed});
    // A learner whose promises did not count until now.
    if (learner.stage == Stage::accepted) synchronize(server, learner, context);
  }
}

}  // namespace zab
