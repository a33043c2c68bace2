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
  // `recovered` is what the log held, `fresh` the id of the cluster that this peer founds if it
  // leads the first epoch of all: 128 random bits.
  Peer(ServerId self, Ensemble ensemble, PeerLimits limits, Durable recovered, ClusterId fresh);

  // The first step: the peer looks for a leader. Called once, before any other.
  [[nodiscard]] Effects start();
  [[nodiscard]] Effects step(Event event);

  [[nodiscard]] const State& state() const { return state_; }
  [[nodiscard]] RoleStatus role_status() const;

 private:
  void follow_up(Next next, StepContext& context);
  void finish(Effects& effects);

  State state_;
  std::variant<Looking, Leading, Learning> role_;
  RoleStatus said_;  // the last one that an effect told of
};

}  // namespace zab
