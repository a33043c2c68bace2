#include "zab/learning.h"

// Phase 1, the learner's part: promise to follow no leader of an earlier epoch.
namespace zab {

// Step f.1.1; ConnectAndFollowerSendFOLLOWERINFO; Learner.registerWithLeader.
void Learning::send_follower_info(StepContext& context) {
  attempt_ = context.state.links.at(leader_)++;
  context.confirm(leader_, make_follower_info(attempt_, context.state));
}

// Step f.1.2; FollowerProcessLEADERINFO. A learner may accept an epoch again from the same leader:
// that is no new promise. From another leader it must not: one epoch would have two
// (ZOOKEEPER-1343).
Next Learning::on(ServerId from, const LeaderInfo& m, StepContext& context) {
  if (from != leader_ || m.attempt != attempt_) return Stay{};
  if (phase_ != Phase::discovery) return protocol_error("LEADERINFO twice");
  const Durable& durable = context.state.durable;
  if (m.cluster.none()) return protocol_error("LEADERINFO without a cluster id");
  if (are_foreign(durable.known_cluster(), m.cluster)) {
    return GoLooking{"server " + to_string(leader_) + " leads cluster " + to_string(m.cluster) +
                         ", and this server belongs to cluster " + to_string(durable.cluster),
                     Note::Kind::foreign_server};
  }
  const bool known = m.epoch == durable.accepted_epoch && leader_ == durable.accepted_leader;
  if (m.epoch <= durable.accepted_epoch && !known) {
    return protocol_error("LEADERINFO of epoch " + std::to_string(m.epoch.value) +
                          ", which is not above the accepted epoch");
  }
  if (m.epoch.value >= Epoch::max)
    return protocol_error("LEADERINFO of the highest epoch there is");
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
