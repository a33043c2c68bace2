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

// Hears what each server hears, and throws a Violation as soon as it does what nothing it has heard
// allows:
//   vote            nobody votes for less than it has itself, for itself as what it is not, or for
//                   itself if it is damaged; and while it looks for a leader, neither its round nor
//                   its vote in that round sinks
//   elected         whoever begins to lead or to follow, and was not handed the lead, was told by a
//                   quorum that it agrees, in the same round: of sound voters, or of those that
//                   know of no cluster and have nothing, or of every voter. Or it joins a quorum
//                   that follows already
//   epoch_quorum    a leader begins an epoch once it was told by a quorum that it has accepted it,
//   and
//                   serves once it was told by a quorum that it has adopted it; itself included
//   quorum_answers  whoever says that it leads an epoch has had an answer from a quorum within the
//                   last sync limit of its own ticks
// With both, whoever is elected is the greatest of the quorum that elected it: everyone's vote is
// at least what it had itself.
class Elections {
 public:
  explicit Elections(const zab::Ensemble& ensemble)
      : ensemble_(ensemble), ears_(ensemble.members().size()) {}

  void on_restart(zab::ServerId server) { ears_[server.value - 1] = {}; }
  // Just before the step that it causes.
  void on_event(zab::ServerId server, const zab::Event& event);
  void on_step(const zab::State& state, const zab::RoleStatus& role_status,
               const zab::Effects& effects);

 private:
  struct Ears {
    zab::RoleStatus role_status;  // after the last step
    bool handed_over = false;
    // While it looks for a leader, over the links that are up.
    std::map<zab::ServerId, std::vector<zab::Notification>> heard;
    std::optional<std::pair<std::uint64_t, zab::Vote>> said;
    std::map<zab::Epoch, std::vector<zab::ServerId>> accepted;  // as it was told
    std::map<zab::Epoch, std::vector<zab::ServerId>> adopted;   // likewise
    std::map<zab::ServerId, std::uint64_t> ticks_since_answer;
  };

  static void check_vote(const zab::State& state, const zab::Notification& m, Ears& ears);
  void check_elected(const zab::State& state, const zab::RoleStatus& role_status,
                     const Ears& ears) const;
  void check_told(zab::ServerId leader, zab::Epoch epoch, const std::vector<zab::ServerId>& by,
                  const char* what) const;
  void check_answers(const zab::State& state, const zab::RoleStatus& role_status,
                     const Ears& ears) const;

  const zab::Ensemble& ensemble_;
  std::vector<Ears> ears_;
};

}  // namespace sim
