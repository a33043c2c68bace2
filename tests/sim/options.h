#pragma once

#include <cstdint>

#include "zab/ensemble.h"
#include "zab/state.h"

namespace sim {

// Virtual time, in thousandths of a tick.
using Time = std::uint64_t;
constexpr Time tick = 1000;

// The average time between two events of a kind, in thousandths of a tick; 0 is never.
using Every = Time;

// The options of one run, derived from its seed. Most seeds have only some faults, because faults
// hide each other.
struct Options {
  zab::Ensemble ensemble{{}};
  zab::PeerLimits limits;
  Time duration = 0;  // of the part with faults

  Time link_delay_max = 0;
  Time disk_delay_max = 0;
  Time self_delay_max = 0;  // of a peer's messages to itself
  bool group_commit = false;

  Every submit = 0;
  std::uint64_t burst_max = 1;    // submits at once
  std::uint64_t payload_max = 0;  // bytes, approximately
  Every confirm_leadership = 0;
  Every hand_over = 0;
  Every checkpoint = 0;

  Every crash = 0;
  Every crash_in_step = 0;  // after a part of one step's effects
  Every crash_all = 0;
  Every pause = 0;
  Every partition = 0;
  Every cut = 0;                 // of one link
  Every slow_link = 0;           // in one direction
  Every stall_link = 0;          // in one direction; then it is cut
  Every stray = 0;               // a forged message that no correct sender sends
  bool duplicate = false;        // notifications
  bool early_reconnect = false;  // before both ends know that the last connection is down

  Every slow_disk = 0;
  Every stuck_disk = 0;
  Every failing_sync = 0;
  Every full_disk = 0;
  // These always leave a quorum of sound voters.
  Every rot = 0;
  Every wipe = 0;
  Every foreign_disk = 0;  // a disk of another cluster replaces the server's own
  // Leaves no quorum of sound voters, but one voter that has everything.
  Every lose_quorum = 0;

  Time outage_max = 0;  // how long each lasts
  // The only fault: one voter is down or slow all the time. Commits must continue.
  bool minority = false;
};

[[nodiscard]] Options options_from(std::uint64_t seed);

}  // namespace sim
