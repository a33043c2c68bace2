#include <utility>

#include "wire/ensure.h"
#include "zab/learning.h"

// Phase 2, the learner's part: take over the leader's history, all of it or nothing.
namespace zab {

// FollowerProcessSyncMessage; Learner.syncWithLeader.
Next Learning::on(ServerId from, const Diff& m, StepContext& context) {
  if (!is_from_leader(from)) return Stay{};
  return stage(m.from, context);
}

Next Learning::on(ServerId from, const Trunc& m, StepContext& context) {
  if (!is_from_leader(from)) return Stay{};
  return stage(m.to, context);
}

Next Learning::stage(Point from, StepContext& context) {
  if (phase_ != Phase::synchronization) return illegal("a plan of synchronization out of context");
  const History& history = context.state.durable.history;
  const Point base = history.base();
  staged_.reset();
  if (from.zxid < context.state.last_delivered || (from.zxid == base.zxid && from != base)) {
    return illegal("a plan that forgets what is committed: " + wire::to_string(from.zxid));
  }
  if (!history.contains(from)) {
    context.confirm(leader_, Diverged{history.common_candidate(from)});
    return Stay{};
  }
  staged_ = Staged{from};
  return Stay{};
}

// The state comes first, in chunks that count for nothing before NEWLEADER.
Next Learning::on(ServerId from, const Snap& m, StepContext& context) {
  if (!is_from_leader(from)) return Stay{};
  if (phase_ != Phase::synchronization) return illegal("SNAP out of context");
  if (m.at.zxid.epoch > epoch_) return illegal("a snapshot at " + wire::to_string(m.at.zxid));
  if (m.at.zxid < context.state.last_delivered) {
    // Its log cannot be read any more where this learner needs it, and its checkpoint is older.
    return GoLooking{"the snapshot of server " + to_string(leader_) + " is of " +
                     wire::to_string(m.at.zxid) + ", and " +
                     wire::to_string(context.state.last_delivered) +
                     " was delivered here: it has to take a checkpoint first"};
  }
  staged_ = Staged{m.at, true};
  return Stay{};
}

Next Learning::on(ServerId from, const SnapChunk& m, StepContext& context) {
  if (!is_from_leader(from)) return Stay{};
  if (phase_ != Phase::synchronization || !staged_ || !staged_->snapshot || staged_->stored) {
    return illegal("bytes of no snapshot");
  }
  silent_ticks_ = 0;
  context.persist(
      StoreSnapshot{staged_->from, std::exchange(staged_->empty, false), m.last, m.bytes});
  staged_->stored = m.last;
  return Stay{};
}

// FollowerProcessPROPOSALInSync. What comes after a plan that this learner refused is void.
Next Learning::receive_history(const Proposal& m) {
  if (!staged_) return Stay{};
  if (staged_->snapshot && !staged_->stored) return illegal("PROPOSAL in a snapshot");
  const Point last = staged_->last();
  if (m.zxid.epoch > epoch_ || !may_follow(m.zxid, last.zxid)) {
    return illegal("PROPOSAL " + wire::to_string(m.zxid) + " after " + wire::to_string(last.zxid));
  }
  staged_->txns.push_back(Txn::after(last, m.zxid, m.payload));
  return Stay{};
}

// Step f.2.1; FollowerProcessNEWLEADER. History and epoch in one durable write, acknowledged only
// behind it. (The gap between the two is ZOOKEEPER-4643; the ack before it ZOOKEEPER-3911, -4646.)
Next Learning::on(ServerId from, const NewLeader& m, StepContext& context) {
  if (!is_from_leader(from)) return Stay{};
  if (phase_ != Phase::synchronization || m.epoch != epoch_) {
    return illegal("NEWLEADER out of context");
  }
  if (!staged_) return Stay{};

  Staged staged = *std::exchange(staged_, std::nullopt);
  if (staged.snapshot && !staged.stored) return illegal("NEWLEADER in a snapshot");
  context.persist(
      AdoptHistory{m.epoch, cluster_, staged.from, staged.snapshot, std::move(staged.txns)});
  if (founded_) context.found();
  if (staged.snapshot) context.restored(staged.from);
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
    return illegal("UPTODATE " + wire::to_string(m.committed) + " out of context");
  }
  phase_ = Phase::broadcast;
  context.commit_to(m.committed);
  context.found();
  return Stay{};
}

}  // namespace zab
