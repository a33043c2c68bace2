#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "zab/sync_plan.h"
#include "zab/turn.h"

namespace zab {

// A server that was elected, in all three phases. Also its own first learner: what it promises to
// itself comes back as a message, behind its own disk.
class Leading {
 public:
  explicit Leading(Mandate mandate) : mandate_(mandate) {}

  Next enter(std::map<ServerId, FollowerInfo> early, Turn& turn);

  Next on(const Tick&, Turn& turn);
  Next on(const LinkUp& event, Turn& turn);
  Next on(const LinkDown& event, Turn& turn);
  Next on(const Submit& event, Turn& turn);
  Next on(const ConfirmLeadership& event, Turn& turn);
  Next on(const HandOver& event, Turn& turn);
  Next on(const HistoryRead& event, Turn& turn);
  Next on(const SnapshotRead& event, Turn& turn);

  Next on(ServerId from, const Notification& m, Turn& turn);
  Next on(ServerId from, const FollowerInfo& m, Turn& turn);
  Next on(ServerId from, const AckEpoch& m, Turn& turn);
  Next on(ServerId from, const Diverged& m, Turn& turn);
  Next on(ServerId from, const AckNewLeader& m, Turn& turn);
  Next on(ServerId from, const Ack& m, Turn& turn);
  Next on(ServerId from, const Pong& m, Turn& turn);
  // What another leader says to its learners is meant for a role that this peer has given up.
  Next on(ServerId, const LeaderInfo&, Turn&) { return Stay{}; }
  Next on(ServerId, const Diff&, Turn&) { return Stay{}; }
  Next on(ServerId, const Trunc&, Turn&) { return Stay{}; }
  Next on(ServerId, const Snap&, Turn&) { return Stay{}; }
  Next on(ServerId, const SnapChunk&, Turn&) { return Stay{}; }
  Next on(ServerId, const NewLeader&, Turn&) { return Stay{}; }
  Next on(ServerId, const UpToDate&, Turn&) { return Stay{}; }
  Next on(ServerId, const Proposal&, Turn&) { return Stay{}; }
  Next on(ServerId, const Commit&, Turn&) { return Stay{}; }
  Next on(ServerId, const Inform&, Turn&) { return Stay{}; }
  Next on(ServerId, const Successor&, Turn&) { return Stay{}; }
  Next on(ServerId, const Ping&, Turn&) { return Stay{}; }

  [[nodiscard]] Standing standing(const State& state) const;

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
  void choose_epoch(Turn& turn);
  // Synchronization.
  void begin_synchronization(Turn& turn);
  void synchronize(ServerId id, Learner& learner, Turn& turn);
  void begin_at(ServerId id, const Learner& learner, Point from, Turn& turn) const;
  void read_log(ServerId id, Learner& learner, Turn& turn);
  void read_snapshot(ServerId id, Learner& learner, Turn& turn);
  void go_on(ServerId id, Learner& learner, Turn& turn);
  void send_rest(ServerId id, Learner& learner, Point from, Turn& turn);
  void establish(Turn& turn);
  [[nodiscard]] Learner* reader(ServerId id, std::uint64_t ticket);
  // Broadcast.
  void advance_commit(Turn& turn);
  Next hand_over_if_level(Turn& turn);
  void begin_probe(Turn& turn);
  void finish_probe(Turn& turn);

  [[nodiscard]] Next leave_if_alone(Turn& turn) const;
  [[nodiscard]] std::vector<ServerId> voters_at(Stage stage, const State& state) const;
  [[nodiscard]] bool is_mandated(const std::vector<ServerId>& voters, const State& state) const;
  // Whether its promises count before the epoch is established.
  [[nodiscard]] bool has_a_voice(ServerId id, const Learner& learner, const State& state) const;
  [[nodiscard]] bool are_enough_at(Stage stage, const State& state) const;
  [[nodiscard]] Notification notification(const State& state) const;

  Mandate mandate_;
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
