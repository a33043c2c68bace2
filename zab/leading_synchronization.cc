#include <variant>

#include "wire/ensure.h"
#include "zab/leading.h"

// Phase 2, the leader's part: a quorum takes over the leader's history.
namespace zab {

// Step l.2.1: the leader's own history is the initial one of its epoch.
void Leading::begin_synchronization(Turn& turn) {
  State& state = turn.state;
  phase_ = Phase::synchronization;
  ticks_ = 0;
  const Point last = state.durable.history.last();
  turn.persist(AdoptHistory{
      .epoch = epoch_, .cluster = cluster_, .from = last, .snapshot = false, .txns = {}});

  for (auto& [server, learner] : learners_) {
    if (server == state.self) {  // whether or not its own ACKEPOCH was among the first
      learner.stage = Stage::synchronizing;
      learner.synced_to = last.zxid;
      turn.confirm(server, AckNewLeader{epoch_});
    } else if (learner.stage == Stage::accepted && has_a_voice(server, learner, state)) {
      synchronize(server, learner, turn);
    }
  }
}

// LeaderSyncFollower; LearnerHandler.syncFollower.
void Leading::synchronize(ServerId id, Learner& learner, Turn& turn) {
  const SyncPlan plan = plan_sync(learner.last, turn.state.durable.history);
  if (std::holds_alternative<ReadLog>(plan)) {
    learner.stage = Stage::reading;
    learner.planned = false;
    learner.read_to = learner.last;
    return read_log(id, learner, turn);
  }
  const auto* diff = std::get_if<Diff>(&plan);
  const Point from = diff != nullptr ? diff->from : std::get<Trunc>(plan).to;
  begin_at(id, learner, from, turn);
  send_rest(id, learner, from, turn);
}

// What comes next comes after `from`. Whatever else the learner has said, it has to cut back to
// that.
void Leading::begin_at(ServerId id, const Learner& learner, Point from, Turn& turn) const {
  if (from == learner.last && !learner.diverged) {
    turn.send(id, Diff{from});
  } else {
    turn.send(id, Trunc{from});
  }
}

void Leading::read_log(ServerId id, Learner& learner, Turn& turn) {
  learner.ticket = ++turn.state.tickets;
  turn.effects.read.emplace_back(ReadHistory{id, learner.ticket, learner.read_to});
}

void Leading::read_snapshot(ServerId id, Learner& learner, Turn& turn) {
  learner.ticket = ++turn.state.tickets;
  turn.effects.read.emplace_back(ReadSnapshot{id, learner.ticket, !learner.planned});
}

// Nothing, if that learner is gone or wants something else by now.
Leading::Learner* Leading::reader(ServerId id, std::uint64_t ticket) {
  const auto found = learners_.find(id);
  if (found == learners_.end() || found->second.stage != Stage::reading) return nullptr;
  return found->second.ticket == ticket ? &found->second : nullptr;
}

// What is older than the history in memory goes to the learner piece by piece.
Next Leading::on(const HistoryRead& event, Turn& turn) {
  Learner* learner = reader(event.learner, event.ticket);
  if (learner == nullptr) return Stay{};
  if (!event.txns.empty()) ticks_ = 0;
  if (!event.from) {  // the log does not reach back so far, or not any more
    learner->planned = false;
    read_snapshot(event.learner, *learner, turn);
    return Stay{};
  }
  if (!learner->planned) {
    begin_at(event.learner, *learner, *event.from, turn);
    learner->planned = true;
    learner->read_to = *event.from;
  }
  ensure(*event.from == learner->read_to, "what is committed stays where it is");
  const bool votes = turn.state.ensemble.is_voter(event.learner);
  for (const Txn& txn : event.txns) {
    if (!votes && txn.zxid > turn.state.last_committed) break;  // it comes as INFORM
    turn.send(event.learner, Proposal{txn.zxid, txn.payload});
    learner->read_to = txn.point();
  }
  go_on(event.learner, *learner, turn);
  return Stay{};
}

Next Leading::on(const SnapshotRead& event, Turn& turn) {
  Learner* learner = reader(event.learner, event.ticket);
  if (learner == nullptr) return Stay{};
  ticks_ = 0;
  if (!learner->planned) {
    ensure(event.at.zxid <= turn.state.last_committed, "a snapshot has only what is committed");
    turn.send(event.learner, Snap{event.at});
    learner->planned = true;
  }
  turn.send(event.learner, SnapChunk{event.octets, event.last});
  if (event.last) {
    learner->read_to = event.at;
    go_on(event.learner, *learner, turn);
  } else {
    read_snapshot(event.learner, *learner, turn);
  }
  return Stay{};
}

void Leading::go_on(ServerId id, Learner& learner, Turn& turn) {
  if (learner.read_to.zxid < turn.state.durable.history.base().zxid) {
    read_log(id, learner, turn);
  } else {
    send_rest(id, learner, learner.read_to, turn);
  }
}

// From here on the learner gets every proposal, not only once it has acknowledged NEWLEADER (issue
// 1 of the specification's issues.md): otherwise it would miss those made in between. An observer
// is sent only what is committed.
void Leading::send_rest(ServerId id, Learner& learner, Point from, Turn& turn) {
  const State& state = turn.state;
  const History& history = state.durable.history;
  ensure(history.contains(from), "a learner is sent all that comes after what it has");
  const Zxid end = state.ensemble.is_voter(id) ? history.last().zxid : state.last_committed;
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
  if (found == learners_.end() || found->second.stage < Stage::reading) return Stay{};
  if (found->second.stage == Stage::adopted) return Stay{};
  found->second.last = m.last;
  found->second.diverged = true;
  synchronize(from, found->second, turn);
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

  ticks_ = 0;
  if (phase_ == Phase::broadcast) {
    if (from != turn.state.self) turn.send(from, UpToDate{turn.state.last_committed});
    advance_commit(turn);
    return hand_over_if_level(turn);
  }
  if (are_enough_at(Stage::adopted, turn.state)) establish(turn);
  return Stay{};
}

// The epoch is established: its initial history is committed, all of it, whoever proposed it.
// UPTODATE carries the leader's latest committed zxid, not that of NEWLEADER (issue 3 of the
// specification's issues.md).
void Leading::establish(Turn& turn) {
  phase_ = Phase::broadcast;
  turn.commit_to(turn.state.durable.history.last().zxid);
  turn.found();
  for (auto& [server, learner] : learners_) {
    if (server == turn.state.self) continue;
    if (learner.stage == Stage::adopted) turn.send(server, UpToDate{turn.state.last_committed});
    // One whose voice did not count until now.
    if (learner.stage == Stage::accepted) synchronize(server, learner, turn);
  }
}

}  // namespace zab
