#include <algorithm>

#include "wire/ensure.h"
#include "zab/leading.h"

// Phase 1, the leader's part: choose an epoch above every one that a quorum ever promised to.
namespace zab {

// Step l.1.1; LeaderProcessFOLLOWERINFO; Leader.getEpochToPropose.
Next Leading::on(ServerId from, const FollowerInfo& m, Turn& turn) {
  State& state = turn.state;
  state.epoch_seen = std::max(state.epoch_seen, m.accepted_epoch);

  Learner& learner = learners_[from];
  learner = Learner{};
  learner.attempt = m.attempt;
  learner.last = m.last;

  if (epoch_ == Epoch{}) {
    if (state.ensemble.is_quorum(voters_at(Stage::connected, state))) choose_epoch(turn);
    return Stay{};
  }
  // It promised never to accept this epoch from this leader. Only a later epoch lets it in, and
  // going on without it would leave it out for ever (ZOOKEEPER-335).
  if (m.accepted_epoch > epoch_ ||
      (m.accepted_epoch == epoch_ && m.accepted_leader != state.self)) {
    return GoLooking{"server " + to_string(from) + " has accepted epoch " +
                     std::to_string(m.accepted_epoch.value) + " already"};
  }
  turn.confirm(from, LeaderInfo{epoch_, m.attempt});
  return Stay{};
}

// Every later quorum has a member that knows of this epoch once a quorum has accepted it; durable
// here before anybody hears of it, so that it is never chosen twice by this server
// (ZOOKEEPER-1291).
void Leading::choose_epoch(Turn& turn) {
  Durable& durable = turn.state.durable;
  ensure(turn.state.epoch_seen.value < Epoch::max, "there is a next epoch");
  epoch_ = turn.state.epoch_seen.next();
  durable.accepted_epoch = epoch_;
  durable.accepted_leader = turn.state.self;
  turn.effects.persist.emplace_back(AcceptEpoch{epoch_, turn.state.self});
  for (const auto& [server, learner] : learners_) {
    if (server == turn.state.self) {
      turn.confirm(server, AckEpoch{epoch_, durable.current_epoch, durable.history.last()});
    } else {
      turn.confirm(server, LeaderInfo{epoch_, learner.attempt});
    }
  }
}

// Steps l.1.2 and l.2.1; LeaderProcessACKEPOCH; Leader.waitForEpochAck.
// In the spec's `MoreResentOrEqual` both the epoch and the zxid of the ack count.
Next Leading::on(ServerId from, const AckEpoch& m, Turn& turn) {
  State& state = turn.state;
  const auto found = learners_.find(from);
  if (found == learners_.end() || m.epoch != epoch_ || epoch_ == Epoch{}) return Stay{};
  Learner& learner = found->second;
  if (learner.stage != Stage::connected) return Stay{};

  const Durable& durable = state.durable;
  if (state.ensemble.is_voter(from) &&
      std::pair(m.current_epoch, m.last.zxid) >
          std::pair(durable.current_epoch, durable.history.last().zxid)) {
    return GoLooking{"server " + to_string(from) + " has a more recent history"};
  }
  learner.stage = Stage::accepted;
  learner.last = m.last;

  if (phase_ == Phase::discovery) {
    if (state.ensemble.is_quorum(voters_at(Stage::accepted, state))) begin_synchronization(turn);
  } else if (phase_ == Phase::broadcast || state.ensemble.is_voter(from)) {
    synchronize(from, learner, plan_sync(learner.last, durable.history), turn);
  }
  return Stay{};
}

}  // namespace zab
