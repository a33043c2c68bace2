#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "server/peers/peer_message.h"
#include "session/commands.h"
#include "zab/events.h"

// The actions that Ordering and Planner ask the pipeline for (`carry_out` in pipeline.cc).
namespace server {

// Environment::send.
struct SendToServer {
  zab::ServerId to;
  PeerMessage message;
};

// The command of one of this server's clients became no transaction. The refusal may be sent to the
// client once `zxid` is applied here.
struct CommandRefused {
  std::uint64_t tag = 0;
  wire::Zxid zxid;
  session::Refusal refusal;
};

// The linearizable read under `tag` must see everything up to `zxid`.
struct ReadPointKnown {
  std::uint64_t tag = 0;
  wire::Zxid zxid;
};

// Commands of this connection may have been planned, or not. This server cannot find out.
struct OutcomeUnknown {
  std::uint64_t connection = 0;  // Client::number
};

// An event is for Environment::post.
using OrderingOutcome =
    std::variant<SendToServer, zab::Event, CommandRefused, ReadPointKnown, OutcomeUnknown>;
// In the order in which they must be carried out.
using OrderingOutcomes = std::vector<OrderingOutcome>;

}  // namespace server
