#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "zab/step_context.h"

namespace zab {

// A follower or an observer of one leader, in all three phases.
class Learning {
 public:
  explicit Learning(ServerId leader) : leader_(leader) {}

  Next enter(StepContext& context);

  Next on(const Tick&, StepContext& context);
  Next on(const LinkUp& event, StepContext& context);
  Next on(const LinkDown& event, StepContext& context);
  // Only a leader takes these; whoever gave them learns from the role_status who that is.
  Next on(const Submit&, StepContext&) { return Stay{}; }
  Next on(const ConfirmLeadership&, StepContext&) { return Stay{}; }
  Next on(const HandOver&, StepContext&) { return Stay{}; }
  // For a lead that has ended.
  Next on(const HistoryRead&, StepContext&) { return Stay{}; }
  Next on(const SnapshotRead&, StepContext&) { return Stay{}; }

  Next on(ServerId from, const Notification& m, StepContext& context);
  Next on(ServerId from, const LeaderInfo& m, StepContext& context);
  Next on(ServerId from, const Diff& m, StepContext& context);
  Next on(ServerId from, const Trunc& m, StepContext& context);
  Next on(ServerId from, const Snap& m, StepContext& context);
  Next on(ServerId from, const SnapChunk& m, StepContext& context);
  Next on(ServerId from, const Proposal& m, StepContext& context);
  Next on(ServerId from, const NewLeader& m, StepContext& context);
  Next on(ServerId from, const UpToDate& m, StepContext& context);
  Next on(ServerId from, const Commit& m, StepContext& context);
  Next on(ServerId from, const Inform& m, StepContext& context);
  Next on(ServerId from, const Successor& m, StepContext& context);
  Next on(ServerId from, const Ping& m, StepContext& context);
  Next on(ServerId from, const FollowerInfo& m, StepContext& context);
  // From servers that take this one for a leader. The notification that this server sent when it
  // began to follow says otherwise.
  Next on(ServerId, const AckEpoch&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Diverged&, StepContext&) { return Stay{}; }
  Next on(ServerId, const AckNewLeader&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Ack&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Pong&, StepContext&) { return Stay{}; }

  [[nodiscard]] RoleStatus role_status(const State& state) const;

 private:
  enum class Phase : std::uint8_t {
    discovery,        // waits for LEADERINFO
    synchronization,  // receives the leader's history
    adopted,          // has acknowledged NEWLEADER; waits for UPTODATE
    broadcast,
  };

  // The leader's history as far as it has come: what this server has up to `from`, then `txns`. It
  // is neither in the history nor on disk before NEWLEADER, so that a synchronization that ends
  // half-way leaves both as they were (ZOOKEEPER-3642, -5094).
  struct Staged {
    Point from;
    bool snapshot = false;  // what this server has up to `from` is being stored
    bool stored = false;    // all of that
    bool empty = true;      // nothing of that
    std::vector<Txn> txns{};

    [[nodiscard]] Point last() const { return txns.empty() ? from : txns.back().point(); }
  };

  // Discovery.
  void come(StepContext& context);
  // Synchronization.
  Next stage(Point from, StepContext& context);
  Next receive_history(const Proposal& m);
  // Broadcast.
  Next append(Zxid zxid, const Payload& payload, StepContext& context);

  // Whether `from` leads, and speaks to this learner and not to the one that this server was
  // before.
  [[nodiscard]] bool is_from_leader(ServerId from) const {
    return from == leader_ && phase_ != Phase::discovery;
  }
  // A message that its sender could not have sent in this phase of this epoch.
  [[nodiscard]] GoLooking illegal(const std::string& what) const;
  [[nodiscard]] Notification notification(const State& state) const;

  ServerId leader_;
  Phase phase_ = Phase::discovery;
  std::uint64_t attempt_ = 0;       // over the present link to the leader
  Epoch epoch_;                     // 0 until LEADERINFO
  ClusterId cluster_;               // likewise
  bool founded_ = false;            // likewise
  std::optional<Staged> staged_;    // in synchronization, once it is known where histories part
  std::uint32_t silent_ticks_ = 0;  // of the leader
  // From those who heard first that this server is to lead.
  std::map<ServerId, FollowerInfo> early_;
};

}  // namespace zab
