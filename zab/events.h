#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "zab/messages.h"

// The events that a peer handles.
namespace zab {

// One heartbeat interval has passed. This is a peer's only clock.
struct Tick {};

// A link to another server is up: messages may flow both ways. All messages between a LinkUp and
// the next LinkDown belong to one connection.
struct LinkUp {
  ServerId server;
};

// The link is down. The messages that were in transit on it are lost.
struct LinkDown {
  ServerId server;
};

struct Received {
  ServerId from;
  Message message;
};

// A payload to order. Ignored unless this peer leads an established epoch (`RoleStatus::serving`).
struct Submit {
  Payload payload;
};

// Asks whether this peer is still the leader at the time of this event. Answered by
// `Effects::confirmed`; not answered if the peer is not the leader.
struct ConfirmLeadership {
  std::uint64_t token = 0;
};

// Hand the lead over to another voter, as soon as everything proposed is committed and that voter
// has all of it. The leader stops serving at once. If no voter has caught up within the sync limit,
// the leader steps down and an election finds its successor.
struct HandOver {
  ServerId to;  // none: any voter that has caught up
};

// Answers ReadHistory with the transactions after `from`. `from` is the last point at which the log
// and the learner's history may agree; it is absent if that is before the beginning of the log.
struct HistoryRead {
  ServerId learner;
  std::uint64_t ticket = 0;
  std::optional<Point> from;
  std::vector<Txn> txns;  // empty only without `from`, or if nothing after it is durable yet
};

// Answers ReadSnapshot with the next chunk of the snapshot at `at`.
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
