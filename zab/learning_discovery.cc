#include "zab/learning.h"

// Phase 1, the learner's part: promise to follow no earlier epoch.
namespace zab {

// Step f.1.1; ConnectAndFollowerSendFOLLOWERINFO; Learner.registerWithLeader.
void Learning::come(StepContext& context) {
  attempt_ = context.state.links.at(leader_)++;
  context.confirm(leader_, introduce(attempt_, context.state));
}

// Step f.1.2; FollowerProcessLEADERINFO. To accept again what was accepted from this very leader is
// no new promise; from another it would be two leaders of one epoch (ZOOKEEPER-1343).
Next Learning::on(ServerId from, const LeaderInfo& m, StepContext& context) {
  if (from != leader_ || m.attempt != attempt_) return Stay{};
  if (phase_ != Phase::discovery) return illegal("LEADERINFO twice");
  const Durable& durable = context.state.durable;
  if (m.cluster.none()) return illegal("LEADERINFO without a cluster");
  if (are_foreign(durable.known_cluster(), m.cluster)) {
    return GoLooking{"server " + to_string(leader_) + " leads cluster " + to_string(m.cluster) +
                     ", and this server belongs to cluster " + to_string(durable.cluster)};
  }
  const bool known = m.epoch == durable.accepted_epoch && leader_ == durable.accepted_leader;
  if (m.epoch <= durable.accepted_epoch && !known) {
    return illegal("LEADERINFO of epoch " + std::to_string(m.epoch.value) +
                   ", not above the accepted one");
  }
  epoch_ = m.epoch;
  cluster_ = m.cluster;
  founded_ = m.founded;
  phase_ = Phase::synchronization;
  silent_ticks_ = 0;
  if (!known) context.persist(AcceptEpoch{m.epoch, leader_});
  context.confirm(leader_, AckEpoch{m.epoch, durable.current_epoch, durable.history.last()});
  return Stay{};
}

}  // namespace zab
