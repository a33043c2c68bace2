#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "zab/step_context.h"
#include "zab/sync_plan.h"

namespace zab {

// A server that was elected, in all three phases. Also its own first learner: what it promises to
// itself comes back as a message, behind its own disk.
class Leading {
 public:
  explicit Leading(ElectionBasis basis) : basis_(basis) {}

  Next enter(std::map<ServerId, FollowerInfo> early, StepContext& context);

  Next on(const Tick&, StepContext& context);
  Next on(const LinkUp& event, StepContext& context);
  Next on(const LinkDown& event, StepContext& context);
  Next on(const Submit& event, StepContext& context);
  Next on(const ConfirmLeadership& event, StepContext& context);
  Next on(const HandOver& event, StepContext& context);
  Next on(const HistoryRead& event, StepContext& context);
  Next on(const SnapshotRead& event, StepContext& context);

  Next on(ServerId from, const Notification& m, StepContext& context);
  Next on(ServerId from, const FollowerInfo& m, StepContext& context);
  Next on(ServerId from, const AckEpoch& m, StepContext& context);
  Next on(ServerId from, const Diverged& m, StepContext& context);
  Next on(ServerId from, const AckNewLeader& m, StepContext& context);
  Next on(ServerId from, const Ack& m, StepContext& context);
  Next on(ServerId from, const Pong& m, StepContext& context);
  // What another leader says to its learners is meant for a role that this peer has given up.
  Next on(ServerId, const LeaderInfo&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Diff&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Trunc&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Snap&, StepContext&) { return Stay{}; }
  Next on(ServerId, const SnapChunk&, StepContext&) { return Stay{}; }
  Next on(ServerId, const NewLeader&, StepContext&) { return Stay{}; }
  Next on(ServerId, const UpToDate&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Proposal&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Commit&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Inform&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Successor&, StepContext&) { return Stay{}; }
  Next on(ServerId, const Ping&, StepContext&) { return Stay{}; }

  [[nodiscard]] RoleStatus role_status(const State& state) const;

 private:
  enum class Phase : std::uint8_t { discovery, synchronization, broadcast };

  // How far a learner has come. Each stage follows the one before it, on one connection.
  enum class Stage : std::uint8_t {
    connected,      // said FOLLOWERINFO
    accepted,       // acknowledged the epoch
    reading,        // what it lacks is being read, and sent
    synchronizing,  // has been sent the history; gets every proposal from now on
    adopted,        // holds history and epoch durably; its acks count
  };

  struct Learner {
    Stage stage = Stage::connected;
    std::uint64_t attempt = 0;               // of FOLLOWERINFO, for LEADERINFO
    Condition condition = Condition::sound;  // when it came
    Point last;                              // where its history ended, as it said
    bool diverged = false;                   // and that it is not on this server's history
    std::uint64_t ticket = 0;                // of what is being read for it
    bool planned = false;                    // it was told what comes; while reading
    Point read_to;                           // while reading
    Zxid synced_to;                          // where the history sent in synchronization ended
    Zxid acked;                              // what it holds durably; set once adopted
    std::uint64_t probe = 0;                 // the last one it answered
    std::uint32_t silent_ticks = 0;
  };

  struct Pending {
    std::uint64_t token;
    Zxid committed;  // when it was asked
  };

  // Discovery.
  void choose_epoch(StepContext& context);
  // Synchronization.
  void begin_synchronization(StepContext& context);
  void synchronize(ServerId id, Learner& learner, StepContext& context);
  void begin_at(ServerId id, const Learner& learner, Point from, StepContext& context) const;
  void read_log(ServerId id, Learner& learner, StepContext& context);
  void read_snapshot(ServerId id, Learner& learner, StepContext& context);
  void go_on(ServerId id, Learner& learner, StepContext& context);
  void send_rest(ServerId id, Learner& learner, Point from, StepContext& context);
  void establish(StepContext& context);
  [[nodiscard]] Learner* reader(ServerId id, std::uint64_t ticket);
  // Broadcast.
  void advance_commit(StepContext& context);
  Next hand_over_if_level(StepContext& context);
  void begin_probe(StepContext& context);
  void finish_probe(StepContext& context);

  [[nodiscard]] Next leave_if_alone(StepContext& context) const;
  [[nodiscard]] std::vector<ServerId> voters_at(Stage stage, const State& state) const;
  [[nodiscard]] bool is_mandated(const std::vector<ServerId>& voters, const State& state) const;
  // Whether its promises count before the epoch is established.
  [[nodiscard]] bool has_a_voice(ServerId id, const Learner& learner, const State& state) const;
  [[nodiscard]] bool are_enough_at(Stage stage, const State& state) const;
  [[nodiscard]] Notification notification(const State& state) const;

  ElectionBasis basis_;
  Phase phase_ = Phase::discovery;
  Epoch epoch_;                           // 0 until it is chosen
  ClusterId cluster_;                     // likewise
  Vote vote_;                             // with which it was elected
  std::map<ServerId, Learner> learners_;  // itself included
  std::set<ServerId> elsewhere_;  // lead or follow somebody else, as they said; not in broadcast
  std::uint32_t ticks_ = 0;       // in the phases before broadcast, since something came of it
  bool handing_over_ = false;
  std::uint32_t handing_over_ticks_ = 0;
  ServerId successor_;  // the one that was asked for, if one was

  // Confirmations of leadership: one probe is under way at a time, for all that came before it.
  std::uint64_t probe_ = 0;
  std::vector<Pending> probing_;  // answered once a quorum has answered `probe_`
  std::vector<Pending> waiting_;  // for the next probe
};

}  // namespace zab
