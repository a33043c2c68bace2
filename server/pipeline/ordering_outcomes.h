#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "server/peers/peer_message.h"
#include "server/pipeline/when_applied.h"
#include "zab/events.h"

// The actions that Ordering and Planner ask for (`carry_out` in intake.cc).
namespace server {

// Environment::send.
struct SendToServer {
  zab::ServerId to;
  PeerMessage message;
};

// Commands of this connection may have been planned, or not. This server cannot find out.
struct OutcomeUnknown {
  std::uint64_t connection = 0;  // Client::number
};

// An event is for Environment::post. WhenApplied: the refusal of a command of one of this server's
// clients, the read point of one of their linearizable reads, or the touches of an interval that
// are confirmed.
using OrderingOutcome = std::variant<SendToServer, zab::Event, WhenApplied, OutcomeUnknown>;
// In the order in which they must be carried out.
using OrderingOutcomes = std::vector<OrderingOutcome>;

}  // namespace server
