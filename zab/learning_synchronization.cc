#include <utility>

#include "wire/ensure.h"
#include "zab/learning.h"

// Phase 2, the learner's part: take over the leader's history, all of it or nothing.
namespace zab {

// FollowerProcessSyncMessage; Learner.syncWithLeader.
Next Learning::on(ServerId from, const Diff& m, Turn& turn) {
  if (!is_from_leader(from)) return Stay{};
  return stage(m.from, turn);
}

Next Learning::on(ServerId from, const Trunc& m, Turn& turn) {
  if (!is_from_leader(from)) return Stay{};
  return stage(m.to, turn);
}

Next Learning::stage(Point from, Turn& turn) {
  if (phase_ != Phase::synchronization) return illegal("a plan of synchronization out of turn");
  const History& history = turn.state.durable.history;
  staged_.reset();
  if (!history.contains(from)) {
    turn.confirm(leader_, Diverged{history.common_candidate(from)});
    return Stay{};
  }
  ensure(from.zxid >= turn.state.last_delivered, "no committed transaction is ever truncated");
  staged_ = Staged{from, {}};
  return Stay{};
}

// FollowerProcessPROPOSALInSync. What comes after a plan that this learner refused is void.
Next Learning::receive_history(const Proposal& m) {
  if (!staged_) return Stay{};
  const Point last = staged_->last();
  if (!may_follow(m.zxid, last.zxid)) {
    return illegal("PROPOSAL " + wire::to_string(m.zxid) + " after " + wire::to_string(last.zxid));
  }
  staged_->txns.push_back({m.zxid, chain(last.hash, m.zxid, *m.payload), m.payload});
  return Stay{};
}

// Step f.2.1; FollowerProcessNEWLEADER. History and epoch in one durable write, acknowledged only
// behind it. (The gap between the two is ZOOKEEPER-4643; the ack before it ZOOKEEPER-3911, -4646.)
Next Learning::on(ServerId from, const NewLeader& m, Turn& turn) {
  if (!is_from_leader(from)) return Stay{};
  if (phase_ != Phase::synchronization || m.epoch != epoch_) {
    return illegal("NEWLEADER out of turn");
  }
  if (!staged_) return Stay{};

  Durable& durable = turn.state.durable;
  durable.history.truncate_after(staged_->from.zxid);
  for (const Txn& txn : staged_->txns) durable.history.append(txn.zxid, txn.payload);
  durable.current_epoch = m.epoch;
  turn.effects.persist.emplace_back(
      AdoptHistory{m.epoch, staged_->from.zxid, std::move(staged_->txns)});
  staged_.reset();
  turn.confirm(leader_, AckNewLeader{m.epoch});
  phase_ = Phase::adopted;
  return Stay{};
}

// Step f.2.2; FollowerProcessUPTODATE.
Next Learning::on(ServerId from, const UpToDate& m, Turn& turn) {
  if (!is_from_leader(from)) return Stay{};
  if (phase_ != Phase::adopted || !turn.state.durable.history.contains(m.committed)) {
    return illegal("UPTODATE " + wire::to_string(m.committed) + " out of turn");
  }
  phase_ = Phase::broadcast;
  turn.commit_to(m.committed);
  return Stay{};
}

}  // namespace zab
