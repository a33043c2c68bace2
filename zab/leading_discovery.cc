#include <algorithm>

#include "wire/ensure.h"
#include "zab/leading.h"

// Phase 1, the leader's part: choose an epoch above every accepted epoch of a quorum.
namespace zab {

// Step l.1.1; LeaderProcessFOLLOWERINFO; Leader.getEpochToPropose.
Next Leading::on(ServerId from, const FollowerInfo& m, StepContext& context) {
  State& state = context.state;
  if (m.accepted_epoch.value >= Epoch::max) {
    context.effects.notes.push_back(
        {Note::Kind::unable_to_join,
         "server " + to_string(from) +
             " has accepted the highest epoch there is: no leader can lead it"});
    return Stay{};
  }
  state.epoch_seen = std::max(state.epoch_seen, m.accepted_epoch);

  engaged_elsewhere_.erase(from);
  Learner& learner = learners_[from];
  learner = Learner{};
  learner.attempt = m.attempt;
  learner.disk_state = m.disk_state;
  learner.last = m.last;

  if (basis_ == ElectionBasis::unanimous && phase_ != Phase::broadcast &&
      m.disk_state == DiskState::damaged &&
      m.claim > Claim{state.durable.current_epoch, state.durable.history.last().zxid}) {
    return GoLooking{"server " + to_string(from) + " once had a more recent history"};
  }
  if (epoch_ == Epoch{}) {
    if (is_basis_met_at(Stage::connected, state)) choose_epoch(context);
    return Stay{};
  }
  // This server has promised not to follow this leader in this epoch. It can join only in a later
  // epoch. A leader that went on without it would exclude it for ever (ZOOKEEPER-335).
  if (m.accepted_epoch > epoch_ ||
      (m.accepted_epoch == epoch_ && m.accepted_leader != state.self)) {
    return GoLooking{"server " + to_string(from) + " has accepted epoch " +
                     std::to_string(m.accepted_epoch.value) + " already"};
  }
  context.confirm(from, LeaderInfo{epoch_, m.attempt, cluster_, state.durable.founded});
  return Stay{};
}

// Once a quorum has accepted this epoch, every later quorum has a member that knows of it. The
// epoch is durable here before it is sent, so that this server never chooses it twice
// (ZOOKEEPER-1291).
void Leading::choose_epoch(StepContext& context) {
  const Durable& durable = context.state.durable;
  ensure(context.state.epoch_seen.value < Epoch::max, "there is a next epoch");
  epoch_ = context.state.epoch_seen.next();
  cluster_ = durable.cluster.none() ? context.state.new_cluster : durable.cluster;
  context.persist(AcceptEpoch{epoch_, context.state.self});
  for (const auto& [server, learner] : learners_) {
    if (server == context.state.self) {
      context.confirm(server, AckEpoch{epoch_, durable.current_epoch, durable.history.last()});
    } else {
      context.confirm(server, LeaderInfo{epoch_, learner.attempt, cluster_, durable.founded});
    }
  }
}

// Steps l.1.2 and l.2.1; LeaderProcessACKEPOCH; Leader.waitForEpochAck. Both the epoch and the zxid
// of the ack count, as in the spec's `MoreResentOrEqual`.
Next Leading::on(ServerId from, const AckEpoch& m, StepContext& context) {
  State& state = context.state;
  const auto found = learners_.find(from);
  if (found == learners_.end() || m.epoch != epoch_ || epoch_ == Epoch{}) return Stay{};
  Learner& learner = found->second;
  if (learner.stage != Stage::connected) return Stay{};

  const Durable& durable = state.durable;
  // If a server's promises do not count, then transactions that only it has were never committed.
  const bool counts = counts_before_establishment(from, learner, state);
  if (counts && std::pair(m.current_epoch, m.last.zxid) >
                    std::pair(durable.current_epoch, durable.history.last().zxid)) {
    return GoLooking{"server " + to_string(from) + " has a more recent history"};
  }
  learner.stage = Stage::accepted;
  learner.last = m.last;

  if (phase_ == Phase::discovery) {
    if (is_basis_met_at(Stage::accepted, state)) begin_synchronization(context);
  } else if (phase_ == Phase::broadcast || counts) {
    synchronize(from, learner, context);
  }
  return Stay{};
}

}  // namespace zab
