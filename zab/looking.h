#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "zab/step_context.h"

namespace zab {

// Phase 0: looking for a leader. This is ZooKeeper's FastLeaderElection without its fixed waits: if
// all connected voters agree, the election ends at once. If that was wrong a few times in a row,
// elections wait again.
//
// FastLeaderElection.tla; FastLeaderElection.lookForLeader.
class Looking {
 public:
  Next enter(StepContext& context);

  Next on(const Tick&, StepContext& context);
  Next on(const LinkUp& event, StepContext& context);
  Next on(const LinkDown& event, StepContext& context);
  // Only a leader handles these. The sender sees in the RoleStatus that this peer does not lead.
  Next on(const Submit&, StepContext&) { return Stay{}; }
  Next on(const ConfirmLeadership&, StepContext&) { return Stay{}; }
  Next on(const HandOver&, StepContext&) { return Stay{}; }
  // Answers to reads of an earlier lead of this peer.
  Next on(const HistoryRead&, StepContext&) { return Stay{}; }
  Next on(const SnapshotRead&, StepContext&) { return Stay{}; }

  Next on(ServerId from, const Notification& m, StepContext& context);
  Next on(ServerId from, const FollowerInfo& m, StepContext& context);
  // Messages for a role that this peer has given up.
  Next on(ServerId, const LeaderInfo&, StepContext&) { return Stay{}; }
  Next on(ServerId, const AckEpoch&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Diff&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Trunc&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Snap&, StepContext&) { return Stay{}; }
  Next on(ServerId, const SnapChunk&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Diverged&, StepContext&) { return Stay{}; }
  Next on(ServerId, const NewLeader&, StepContext&) { return Stay{}; }
  Next on(ServerId, const AckNewLeader&, StepContext&) { return Stay{}; }
  Next on(ServerId, const UpToDate&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Proposal&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Ack&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Commit&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Inform&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Successor&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Ping&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Pong&, StepContext&) { return Stay{}; }

  [[nodiscard]] RoleStatus role_status(const State&) const { return {}; }

 private:
  Next begin_round(std::uint64_t round, StepContext& context);
  void adopt(const Vote& vote, StepContext& context);
  Next decide(StepContext& context);
  Next join_established_leader(StepContext& context);
  [[nodiscard]] std::vector<ServerId> supporters(const State& state) const;
  [[nodiscard]] std::optional<ElectionBasis> basis(const std::vector<ServerId>& supporters,
                                                   const State& state) const;
  [[nodiscard]] DiskState disk_state_of(ServerId server) const;
  [[nodiscard]] bool no_voter_knows_a_cluster() const;
  [[nodiscard]] bool covers_all_claims() const;
  [[nodiscard]] Notification notification(const State& state) const;

  Vote vote_;                                 // this server's own
  std::map<ServerId, Notification> votes_;    // of voters in this round, this one included
  std::map<ServerId, Notification> decided_;  // of voters that lead or follow already
  // From learners that know before this server that it was elected.
  std::map<ServerId, FollowerInfo> early_follower_infos_;
  std::uint32_t quiet_ticks_ = 0;  // since the last new vote of this round
};

}  // namespace zab
