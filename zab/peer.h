#pragma once

#include <variant>

#include "zab/effects.h"
#include "zab/ensemble.h"
#include "zab/events.h"
#include "zab/history.h"
#include "zab/leading.h"
#include "zab/learning.h"
#include "zab/looking.h"
#include "zab/step_context.h"

namespace zab {

// One server's part in Zab. Deterministic: equal events, equal effects.
class Peer {
 public:
  // `recovered` is the state that the log held. `new_cluster` is 128 random bits: the id of the
  // cluster if this peer founds one, that is, if it leads the first epoch ever.
  Peer(ServerId self, Ensemble ensemble, PeerLimits limits, Durable recovered,
       ClusterId new_cluster);

  // The first step: the peer begins to look for a leader. Called once, before any `step`.
  [[nodiscard]] Effects start();
  [[nodiscard]] Effects step(Event event);

  // Keeps no delivered transaction up to this zxid in memory any more: learners get them from the
  // log, or a snapshot. Not to be called within a step.
  void forget_history(Zxid zxid);

  [[nodiscard]] const State& state() const { return state_; }
  [[nodiscard]] RoleStatus role_status() const;

 private:
  void change_role(Next next, StepContext& context);
  void finish(Effects& effects);

  State state_;
  std::variant<Looking, Leading, Learning> role_;
  RoleStatus reported_status_;  // the last one that was an effect
};

}  // namespace zab
