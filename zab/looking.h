#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "zab/step_context.h"

namespace zab {

// Phase 0: looking for a leader. ZooKeeper's FastLeaderElection, without its fixed waits: where
// every voter that can be reached agrees there is nothing to wait for, unless that was wrong a few
// times in a row.
//
// FastLeaderElection.tla; FastLeaderElection.lookForLeader.
class Looking {
 public:
  Next enter(StepContext& context);

  Next on(const Tick&, StepContext& context);
  Next on(const LinkUp& event, StepContext& context);
  Next on(const LinkDown& event, StepContext& context);
  // Only a leader takes these; whoever gave them learns from the role_status that there is none
  // here.
  Next on(const Submit&, StepContext&) { return Stay{}; }
  Next on(const ConfirmLeadership&, StepContext&) { return Stay{}; }
  Next on(const HandOver&, StepContext&) { return Stay{}; }
  // For a lead that has ended.
  Next on(const HistoryRead&, StepContext&) { return Stay{}; }
  Next on(const SnapshotRead&, StepContext&) { return Stay{}; }

  Next on(ServerId from, const Notification& m, StepContext& context);
  Next on(ServerId from, const FollowerInfo& m, StepContext& context);
  // From or to a role that this peer has given up.
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
  Next join(StepContext& context);
  [[nodiscard]] std::vector<ServerId> supporters(const State& state) const;
  [[nodiscard]] std::optional<ElectionBasis> basis(const std::vector<ServerId>& supporters,
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
