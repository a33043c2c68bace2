#pragma once

#include <optional>

#include "tests/sim/random.h"
#include "zab/effects.h"
#include "zab/messages.h"
#include "zab/state.h"

namespace sim {

// Whom a stray message is for, and who is said to have sent it.
struct Target {
  const zab::State& state;
  zab::RoleStatus role_status;
  zab::ServerId sender;
  bool sender_has_adopted = false;  // the receiver's epoch, once
  zab::Zxid sender_holds;           // on its disk, as the last
};

// A message that its sender could not have sent in this phase, or that it has sent before, and that
// the receiver therefore must ignore, or give its role up for. Nothing if the dice chose one for
// which that is not certain.
[[nodiscard]] std::optional<zab::Message> forge(const Target& target, Random& random);

}  // namespace sim
