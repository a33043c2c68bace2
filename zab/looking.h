#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "zab/turn.h"

namespace zab {

// Phase 0: looking for a leader. ZooKeeper's FastLeaderElection, without its fixed waits: where
// every voter that can be reached agrees there is nothing to wait for, unless that was wrong a few
// times in a row.
//
// FastLeaderElection.tla; FastLeaderElection.lookForLeader.
class Looking {
 public:
  Next enter(Turn& turn);

  Next on(const Tick&, Turn& turn);
  Next on(const LinkUp& event, Turn& turn);
  Next on(const LinkDown& event, Turn& turn);
  // Only a leader takes these; whoever gave them learns from the standing that there is none here.
  Next on(const Submit&, Turn&) { return Stay{}; }
  Next on(const ConfirmLeadership&, Turn&) { return Stay{}; }
  Next on(const HandOver&, Turn&) { return Stay{}; }
  // For a lead that has ended.
  Next on(const HistoryRead&, Turn&) { return Stay{}; }
  Next on(const SnapshotRead&, Turn&) { return Stay{}; }

  Next on(ServerId from, const Notification& m, Turn& turn);
  Next on(ServerId from, const FollowerInfo& m, Turn& turn);
  // From or to a role that this peer has given up.
  Next on(ServerId, const LeaderInfo&, Turn&) { return Stay{}; }
  Next on(ServerId, const AckEpoch&, Turn&) { return Stay{}; }
  Next on(ServerId, const Diff&, Turn&) { return Stay{}; }
  Next on(ServerId, const Trunc&, Turn&) { return Stay{}; }
  Next on(ServerId, const Snap&, Turn&) { return Stay{}; }
  Next on(ServerId, const SnapChunk&, Turn&) { return Stay{}; }
  Next on(ServerId, const Diverged&, Turn&) { return Stay{}; }
  Next on(ServerId, const NewLeader&, Turn&) { return Stay{}; }
  Next on(ServerId, const AckNewLeader&, Turn&) { return Stay{}; }
  Next on(ServerId, const UpToDate&, Turn&) { return Stay{}; }
  Next on(ServerId, const Proposal&, Turn&) { return Stay{}; }
  Next on(ServerId, const Ack&, Turn&) { return Stay{}; }
  Next on(ServerId, const Commit&, Turn&) { return Stay{}; }
  Next on(ServerId, const Inform&, Turn&) { return Stay{}; }
  Next on(ServerId, const Successor&, Turn&) { return Stay{}; }
  Next on(ServerId, const Ping&, Turn&) { return Stay{}; }
  Next on(ServerId, const Pong&, Turn&) { return Stay{}; }

  [[nodiscard]] Standing standing(const State&) const { return {}; }

 private:
  Next begin_round(std::uint64_t round, Turn& turn);
  void adopt(const Vote& vote, Turn& turn);
  Next decide(Turn& turn);
  Next join(Turn& turn);
  [[nodiscard]] std::vector<ServerId> supporters(const State& state) const;
  [[nodiscard]] std::optional<Mandate> mandate(const std::vector<ServerId>& supporters,
                                               const State& state) const;
  [[nodiscard]] Condition condition_of(ServerId server) const;
  [[nodiscard]] bool nobody_knows_of_a_cluster() const;
  [[nodiscard]] bool covers_all_claims() const;
  [[nodiscard]] Notification notification(const State& state) const;

  Vote vote_;                                 // whom this server would have lead
  std::map<ServerId, Notification> votes_;    // of voters in this round, the own included
  std::map<ServerId, Notification> settled_;  // of voters that lead or follow already
  std::map<ServerId, FollowerInfo> early_;    // of learners that hold this server elected
  std::uint32_t quiet_ticks_ = 0;             // since the last vote of this round came
};

}  // namespace zab
