#pragma once

#include <cstdint>
#include <variant>

#include "zab/messages.h"

// What can happen to a peer.
namespace zab {

// One heartbeat interval has passed. The only clock there is.
struct Tick {};

// A link to another server is up: messages may flow both ways. Between an up and the next down all
// of them belong to one connection.
struct LinkUp {
  ServerId server;
};

// The link is gone, and whatever was on its way with it.
struct LinkDown {
  ServerId server;
};

struct Received {
  ServerId from;
  Message message;
};

// Something to order. Ignored unless this peer leads an established epoch (`Standing::serving`).
struct Submit {
  Payload payload;
};

// Asks whether this peer still leads, from now on. Answered by `Effects::confirmed`, or never if it
// does not.
struct ConfirmLeadership {
  std::uint64_t token = 0;
};

using Event = std::variant<Tick, LinkUp, LinkDown, Received, Submit, ConfirmLeadership>;

}  // namespace zab
