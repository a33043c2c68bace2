#pragma once

#include <optional>

#include "tests/sim/random.h"
#include "zab/effects.h"
#include "zab/messages.h"
#include "zab/state.h"

namespace sim {

// The receiver and the pretended sender of a forged message.
struct Target {
  const zab::State& state;
  zab::RoleStatus role_status;
  zab::ServerId sender;
  bool sender_has_adopted = false;  // whether the sender has ever adopted the receiver's epoch
  zab::Zxid sender_holds;           // the last zxid on the sender's disk
};

// Makes a random message that the pretended sender could not have sent in this phase, or that
// repeats an earlier one. The receiver must ignore it, or give up its role. None if that is not
// certain for the chosen kind of message.
[[nodiscard]] std::optional<zab::Message> forge(const Target& target, Random& random);

}  // namespace sim
