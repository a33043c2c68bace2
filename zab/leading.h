#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "zab/step_context.h"
#include "zab/sync_plan.h"

namespace zab {

// The role of an elected server, in all three phases. The leader is also its own first learner: its
// promises to itself come back as messages, after they are durable.
class Leading {
 public:
  explicit Leading(ElectionBasis basis) : basis_(basis) {}

  // `early` are the FOLLOWERINFOs that came before this server knew that it was elected.
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
  // Messages of another leader to its learners. They are for a role that this peer has given up.
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

  // A learner's progress over one connection. Each stage follows the one before it.
  enum class Stage : std::uint8_t {
    connected,      // sent FOLLOWERINFO
    accepted,       // acknowledged the epoch
    reading,        // the transactions or the snapshot it lacks are being read and sent
    synchronizing,  // was sent the whole history; from now on it is sent every proposal
    adopted,        // holds history and epoch durably; its acks count
  };

  struct Learner {
    Stage stage = Stage::connected;
    std::uint64_t attempt = 0;                // of its FOLLOWERINFO, for the LEADERINFO
    DiskState disk_state = DiskState::sound;  // as in its FOLLOWERINFO
    Point last;                               // the end of its history, as in its last message
    bool diverged = false;         // it answered DIVERGED: its history goes beyond `last`
    std::uint64_t ticket = 0;      // of the current read for it
    bool sync_start_sent = false;  // while reading: DIFF, TRUNC or SNAP was sent
    Point read_to;                 // while reading: it was sent everything up to here
    Zxid synced_to;                // the end of the history sent in synchronization
    Zxid acked;                    // durable there; set once adopted
    std::uint64_t probe = 0;       // the last one it answered
    std::uint32_t silent_ticks = 0;
  };

  struct PendingConfirmation {
    std::uint64_t token;
    Zxid committed;  // at the time of the request
  };

  // Discovery.
  void choose_epoch(StepContext& context);
  // Synchronization.
  void begin_synchronization(StepContext& context);
  void synchronize(ServerId id, Learner& learner, StepContext& context);
  void send_sync_start(ServerId id, const Learner& learner, Point from, StepContext& context) const;
  void read_log(ServerId id, Learner& learner, StepContext& context);
  void read_snapshot(ServerId id, Learner& learner, StepContext& context);
  void continue_reading(ServerId id, Learner& learner, StepContext& context);
  void send_rest(ServerId id, Learner& learner, Point from, StepContext& context);
  void establish(StepContext& context);
  [[nodiscard]] Learner* find_reading(ServerId id, std::uint64_t ticket);
  // Broadcast.
  void advance_commit(StepContext& context);
  Next hand_over_if_caught_up(StepContext& context);
  void begin_probe(StepContext& context);
  void finish_probe(StepContext& context);

  [[nodiscard]] Next give_up_without_quorum(StepContext& context) const;
  [[nodiscard]] std::vector<ServerId> voters_at(Stage stage, const State& state) const;
  [[nodiscard]] bool satisfies_basis(const std::vector<ServerId>& voters, const State& state) const;
  // Whether the learner's promises count before the epoch is established.
  [[nodiscard]] bool counts_before_establishment(ServerId id, const Learner& learner,
                                                 const State& state) const;
  [[nodiscard]] bool is_basis_met_at(Stage stage, const State& state) const;
  [[nodiscard]] Notification notification(const State& state) const;

  ElectionBasis basis_;
  Phase phase_ = Phase::discovery;
  Epoch epoch_;                           // 0 until it is chosen
  ClusterId cluster_;                     // likewise
  Vote vote_;                             // with which it was elected
  std::map<ServerId, Learner> learners_;  // itself included
  // Servers that lead, or follow another leader, by their own notification. Unused in broadcast.
  std::set<ServerId> engaged_elsewhere_;
  std::uint32_t ticks_without_progress_ = 0;  // in the phases before broadcast
  bool handing_over_ = false;
  std::uint32_t handing_over_ticks_ = 0;
  ServerId successor_;  // the server named in HandOver, if any

  // Confirmations of leadership. One probe is in progress at a time, for all requests before it.
  std::uint64_t probe_ = 0;
  std::vector<PendingConfirmation> probing_;  // answered once a quorum has answered `probe_`
  std::vector<PendingConfirmation> waiting_;  // answered by the next probe
};

}  // namespace zab
