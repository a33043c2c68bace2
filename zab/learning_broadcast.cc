#include "zab/learning.h"

// Phase 3, the learner's part: store proposed transactions, deliver committed ones.
namespace zab {

// Step f.3.1; FollowerProcessPROPOSAL; Follower.processPacket.
Next Learning::on(ServerId from, const Proposal& m, StepContext& context) {
  if (!is_from_leader(from)) return Stay{};
  silent_ticks_ = 0;
  if (phase_ == Phase::synchronization) return receive_history(m);
  return append(m.zxid, m.payload, context);
}

// Next: Driver::carry_out (server/replication/driver.cc) writes the log, and then sends the ack.
Next Learning::append(Zxid zxid, const Payload& payload, StepContext& context) {
  History& history = context.state.durable.history;
  if (zxid.epoch > epoch_ || !history.may_append(zxid)) {
    return protocol_error("transaction " + wire::to_string(zxid) + " directly after " +
                          wire::to_string(history.last().zxid));
  }
  context.effects.persist.emplace_back(Append{history.append(zxid, payload)});
  if (context.state.votes()) context.confirm(leader_, Ack{zxid});
  return Stay{};
}

// Step f.3.2; FollowerProcessCOMMIT. A commit of a transaction that this server does not have, or
// has committed before, means that a message of the leader is missing: the learner must give up.
// Next: Pipeline::deliver (server/pipeline/pipeline.cc), through Driver::deliver.
Next Learning::on(ServerId from, const Commit& m, StepContext& context) {
  if (!is_from_leader(from)) return Stay{};
  if (phase_ != Phase::broadcast || m.zxid <= context.state.last_committed ||
      !context.state.durable.history.contains(m.zxid)) {
    return protocol_error("an unexpected COMMIT " + wire::to_string(m.zxid));
  }
  context.commit_to(m.zxid);
  return Stay{};
}

// An observer receives each transaction once, after it is committed. Transactions received before
// UPTODATE are committed by UPTODATE.
Next Learning::on(ServerId from, const Inform& m, StepContext& context) {
  if (!is_from_leader(from)) return Stay{};
  if (phase_ == Phase::synchronization) {
    return staged_ ? Next(protocol_error("INFORM before NEWLEADER")) : Next(Stay{});
  }
  Next next = append(m.zxid, m.payload, context);
  if (std::holds_alternative<Stay>(next) && phase_ == Phase::broadcast) context.commit_to(m.zxid);
  return next;
}

}  // namespace zab
