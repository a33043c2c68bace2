#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "zab/step_context.h"

namespace zab {

// The role of a follower or an observer of one leader, in all three phases.
class Learning {
 public:
  explicit Learning(ServerId leader) : leader_(leader) {}

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
  // From servers that still hold this one for their leader. They will give it up: this server sent
  // a notification to all when it began to follow.
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

  // The part of the leader's history that has been received: this server's history up to `from`,
  // then `txns`. It does not change the history or the disk before NEWLEADER, so that a
  // synchronization that ends half-way leaves both unchanged (ZOOKEEPER-3642, -5094).
  struct Staged {
    Point from;
    bool snapshot = false;  // a snapshot at `from` replaces this server's history
    bool stored = false;    // all of the snapshot's chunks have come
    bool empty = true;      // no chunk has come yet
    std::vector<Txn> txns{};

    [[nodiscard]] Point last() const { return txns.empty() ? from : txns.back().point(); }
  };

  // Discovery.
  void send_follower_info(StepContext& context);
  // Synchronization.
  Next begin_staging(Point from, StepContext& context);
  Next receive_history(const Proposal& m);
  // Broadcast.
  Next append(Zxid zxid, const Payload& payload, StepContext& context);

  // Whether `from` is the leader, and has answered the current attempt. Before LEADERINFO its
  // messages are for an earlier attempt.
  [[nodiscard]] bool is_from_leader(ServerId from) const {
    return from == leader_ && phase_ != Phase::discovery;
  }
  // The leader sent a message that a correct leader does not send in this phase of this epoch.
  [[nodiscard]] GoLooking protocol_error(const std::string& what) const;
  [[nodiscard]] Notification notification(const State& state) const;

  ServerId leader_;
  Phase phase_ = Phase::discovery;
  std::uint64_t attempt_ = 0;       // of FOLLOWERINFO, over the present link to the leader
  Epoch epoch_;                     // 0 until LEADERINFO
  ClusterId cluster_;               // likewise
  bool founded_ = false;            // likewise
  std::optional<Staged> staged_;    // in synchronization, after DIFF, TRUNC or SNAP
  std::uint32_t silent_ticks_ = 0;  // since the last message of the leader
  // From learners that know before this server that it leads next.
  std::map<ServerId, FollowerInfo> early_follower_infos_;
};

}  // namespace zab
