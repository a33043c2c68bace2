#include <utility>

#include "wire/ensure.h"
#include "zab/learning.h"

// Phase 2, the learner's part: adopt the leader's history, all of it or nothing.
namespace zab {

// FollowerProcessSyncMessage; Learner.syncWithLeader.
Next Learning::on(ServerId from, const Diff& m, StepContext& context) {
  if (!is_from_leader(from)) return Stay{};
  return begin_staging(m.from, context);
}

Next Learning::on(ServerId from, const Trunc& m, StepContext& context) {
  if (!is_from_leader(from)) return Stay{};
  return begin_staging(m.to, context);
}

Next Learning::begin_staging(Point from, StepContext& context) {
  if (phase_ != Phase::synchronization) return protocol_error("an unexpected DIFF or TRUNC");
  const History& history = context.state.durable.history;
  const Point base = history.base();
  staged_.reset();
  if (from.zxid < context.state.last_delivered || (from.zxid == base.zxid && from != base)) {
    return protocol_error("DIFF or TRUNC at " + wire::to_string(from.zxid) +
                          ", which would drop committed transactions");
  }
  if (!history.contains(from)) {
    context.confirm(leader_, Diverged{history.common_candidate(from)});
    return Stay{};
  }
  staged_ = Staged{from};
  return Stay{};
}

// A snapshot comes in chunks. They are stored, but have no effect before NEWLEADER.
Next Learning::on(ServerId from, const Snap& m, StepContext& context) {
  if (!is_from_leader(from)) return Stay{};
  if (phase_ != Phase::synchronization) return protocol_error("an unexpected SNAP");
  if (m.at.zxid.epoch > epoch_)
    return protocol_error("SNAP at " + wire::to_string(m.at.zxid) + ", which is of a later epoch");
  if (m.at.zxid < context.state.last_delivered) {
    // The leader's log begins after the point that this learner needs, and its checkpoint is older.
    return GoLooking{"the snapshot of server " + to_string(leader_) + " is at " +
                     wire::to_string(m.at.zxid) + ", but this server has delivered " +
                     wire::to_string(context.state.last_delivered) +
                     ": the leader must take a newer checkpoint first"};
  }
  staged_ = Staged{m.at, true};
  return Stay{};
}

Next Learning::on(ServerId from, const SnapChunk& m, StepContext& context) {
  if (!is_from_leader(from)) return Stay{};
  if (phase_ != Phase::synchronization || !staged_ || !staged_->snapshot || staged_->stored) {
    return protocol_error("an unexpected SNAPCHUNK");
  }
  silent_ticks_ = 0;
  context.persist(
      StoreSnapshot{staged_->from, std::exchange(staged_->empty, false), m.last, m.bytes});
  staged_->stored = m.last;
  return Stay{};
}

// FollowerProcessPROPOSALInSync. After a DIFF or TRUNC that this learner refused, it ignores
// proposals.
Next Learning::receive_history(const Proposal& m) {
  if (!staged_) return Stay{};
  if (staged_->snapshot && !staged_->stored)
    return protocol_error("PROPOSAL before the end of a snapshot");
  const Point last = staged_->last();
  if (m.zxid.epoch > epoch_ || !may_follow(m.zxid, last.zxid)) {
    return protocol_error("transaction " + wire::to_string(m.zxid) + " directly after " +
                          wire::to_string(last.zxid));
  }
  staged_->txns.push_back(Txn::after(last, m.zxid, m.payload));
  return Stay{};
}

// Step f.2.1; FollowerProcessNEWLEADER. Writes history and epoch in one durable write, and
// acknowledges after it. (A gap between the two is ZOOKEEPER-4643; an ack before it is
// ZOOKEEPER-3911 and -4646.)
Next Learning::on(ServerId from, const NewLeader& m, StepContext& context) {
  if (!is_from_leader(from)) return Stay{};
  if (phase_ != Phase::synchronization || m.epoch != epoch_) {
    return protocol_error("an unexpected NEWLEADER");
  }
  if (!staged_) return Stay{};

  Staged staged = *std::exchange(staged_, std::nullopt);
  if (staged.snapshot && !staged.stored)
    return protocol_error("NEWLEADER before the end of a snapshot");
  context.persist(
      AdoptHistory{m.epoch, cluster_, staged.from, staged.snapshot, std::move(staged.txns)});
  if (founded_) context.mark_founded();
  if (staged.snapshot) context.adopt_snapshot(staged.from);
  context.confirm(leader_, AckNewLeader{m.epoch});
  phase_ = Phase::adopted;
  return Stay{};
}

// Step f.2.2; FollowerProcessUPTODATE.
Next Learning::on(ServerId from, const UpToDate& m, StepContext& context) {
  if (!is_from_leader(from)) return Stay{};
  const State& state = context.state;
  if (phase_ != Phase::adopted || m.committed < state.last_committed ||
      !state.durable.history.contains(m.committed)) {
    return protocol_error("an unexpected UPTODATE " + wire::to_string(m.committed));
  }
  phase_ = Phase::broadcast;
  context.commit_to(m.committed);
  context.mark_founded();
  return Stay{};
}

}  // namespace zab
