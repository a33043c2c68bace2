#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "tests/sim/violation.h"
#include "zab/effects.h"
#include "zab/ensemble.h"
#include "zab/events.h"
#include "zab/state.h"

namespace sim {

// Tracks the messages that each server receives, and throws a Violation as soon as a server does
// something that these messages do not justify:
//   vote            a server does not vote for less than its own history, for itself with another
//                   history, or for itself if it is damaged; and while it looks for a leader,
//                   neither its round nor its vote in a round falls
//   elected         a server that begins to lead or to follow was handed the lead, or received in
//                   the same round the agreement of a quorum: of sound voters, or of voters that
//                   know no cluster and have no history, or of all voters. Or it joins a leader
//                   that a quorum follows already
//   epoch_quorum    a leader begins an epoch only after a quorum reported that it has accepted the
//                   epoch, and serves only after a quorum reported that it adopted the epoch;
//                   the leader counts
//   quorum_answers  a server that claims to lead an epoch has received an answer from a quorum
//                   within the last sync limit of its own ticks
//
// Every voter's vote is at least its own history. So `vote` and `elected` together mean: an elected
// server has the greatest history of the quorum that elected it.
class Elections {
 public:
  explicit Elections(const zab::Ensemble& ensemble)
      : ensemble_(ensemble), views_(ensemble.members().size()) {}

  void on_restart(zab::ServerId server) { views_[server.value - 1] = {}; }
  // Called just before the step that handles the event.
  void on_event(zab::ServerId server, const zab::Event& event);
  void on_step(const zab::State& state, const zab::RoleStatus& role_status,
               const zab::Effects& effects);

 private:
  // One server's view: the messages that it has received.
  struct View {
    zab::RoleStatus role_status;  // after the last step
    bool handed_over = false;
    // Received while it looks for a leader, over the links that are up.
    std::map<zab::ServerId, std::vector<zab::Notification>> notifications;
    std::optional<std::pair<std::uint64_t, zab::Vote>> last_vote;  // and its round
    std::map<zab::Epoch, std::vector<zab::ServerId>> accepted;     // from received ACKEPOCHs
    std::map<zab::Epoch, std::vector<zab::ServerId>> adopted;      // from received ACK-NEWLEADERs
    std::map<zab::ServerId, std::uint64_t> ticks_since_answer;
  };

  static void check_vote(const zab::State& state, const zab::Notification& m, View& view);
  void check_elected(const zab::State& state, const zab::RoleStatus& role_status,
                     const View& view) const;
  void check_quorum_acked(zab::ServerId leader, zab::Epoch epoch,
                          const std::vector<zab::ServerId>& by, const char* what) const;
  void check_answers(const zab::State& state, const zab::RoleStatus& role_status,
                     const View& view) const;

  const zab::Ensemble& ensemble_;
  std::vector<View> views_;
};

}  // namespace sim
