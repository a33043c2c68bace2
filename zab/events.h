#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

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

// Something to order. Ignored unless this peer leads an established epoch (`RoleStatus::serving`).
struct Submit {
  Payload payload;
};

// Asks whether this peer still leads, from now on. Answered by `Effects::confirmed`, or never if it
// does not.
struct ConfirmLeadership {
  std::uint64_t token = 0;
};

// Lead no more, once everything is committed and another voter, or the one named, has it all.
// Serves no more from now on; if nobody is level within the sync limit, an election has to find a
// successor.
struct HandOver {
  ServerId to;  // nobody: whoever is level
};

// Answers ReadHistory: transactions after `from`, which is where the log's history and the one
// asked about were last known to agree; none if it is before the log's beginning.
struct HistoryRead {
  ServerId learner;
  std::uint64_t ticket = 0;
  std::optional<Point> from;
  std::vector<Txn> txns;  // none only if there is no `from`, or nothing after it is durable yet
};

// Answers ReadSnapshot.
struct SnapshotRead {
  ServerId learner;
  std::uint64_t ticket = 0;
  Point at;
  Payload bytes;
  bool last = false;
};

using Event = std::variant<Tick, LinkUp, LinkDown, Received, Submit, ConfirmLeadership, HandOver,
                           HistoryRead, SnapshotRead>;

}  // namespace zab
