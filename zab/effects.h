#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "zab/messages.h"

namespace zab {

// A message and the server that it goes to. It goes over the link that is up at the time of the
// step, and is lost if that link goes down first. A peer writes to itself too: such an envelope
// comes back to it as `Received`.
struct Envelope {
  ServerId to;
  Message message;
};

// Follow no leader of an earlier epoch any more, and of this one only `leader`.
struct AcceptEpoch {
  Epoch epoch;
  ServerId leader;

  bool operator==(const AcceptEpoch&) const = default;
};

// The leader's history under the leader's epoch, as one: forget what is after `from`, add `txns`,
// and set the current epoch and the cluster. Mends what was damaged.
struct AdoptHistory {
  Epoch epoch;
  ClusterId cluster;
  // On this server's history; or, if it takes over a snapshot, where that stands: then everything
  // before is forgotten too, and the snapshot that was stored takes the place of the checkpoint.
  Point from;
  bool snapshot = false;
  std::vector<Txn> txns;
};

struct Append {
  Txn txn;
};

// A quorum has adopted this server's cluster id.
struct Found {
  bool operator==(const Found&) const = default;
};

// The next bytes of a snapshot at `at`. It begins with `first`, in place of what was stored of
// another, and counts for nothing before it is adopted.
struct StoreSnapshot {
  Point at;
  bool first = false;
  bool last = false;
  Payload bytes;
};

using Persist = std::variant<AcceptEpoch, AdoptHistory, Append, Found, StoreSnapshot>;

struct Durable;
// Makes `durable` what it is once `persist` is durable too.
void store(const Persist& persist, Durable& durable);

// Read the log after `after`, for a learner whose history is said to go through it, and answer with
// HistoryRead. To be answered no faster than the link to the learner takes it. A later read for the
// same learner, the loss of its link, and the end of this peer's lead put an end to it.
struct ReadHistory {
  ServerId learner;
  std::uint64_t ticket = 0;
  Point after;
};

// Read the state of this server, for a learner that is too far behind for the log, and answer with
// SnapshotRead; the first chunk decides at which point, and the others are of the same. As above.
struct ReadSnapshot {
  ServerId learner;
  std::uint64_t ticket = 0;
  bool first = false;
};

using Read = std::variant<ReadHistory, ReadSnapshot>;

// What a peer is to the ensemble, for those who use it.
struct RoleStatus {
  Role role = Role::looking;
  bool serving = false;  // leading or learning in an established epoch
  Epoch epoch;           // that epoch, if serving
  ServerId leader;       // whom it follows (itself if it leads); nobody while looking

  bool operator==(const RoleStatus&) const = default;
};

// This peer led when the token's ConfirmLeadership came, and every transaction acknowledged to
// anybody before that is at or before `committed`.
struct Confirmed {
  std::uint64_t token = 0;
  Zxid committed;

  bool operator==(const Confirmed&) const = default;
};

// What one step of a peer asks the world to do, carried out from top to bottom. Adding two Effects
// list by list is always allowed: that is group commit.
struct Effects {
  std::optional<RoleStatus> role_status;  // set if it changed
  std::vector<Envelope> send;             // promises nothing durable: may leave at once
  std::vector<Persist> persist;           // one atomic, synced write, in order
  std::vector<Envelope> confirm;          // promises `persist`: leaves only after it, in order
  std::vector<Read> read;                 // answered by an event, some time
  std::optional<Point> restore;           // the state is now that of the snapshot adopted here; of
                                          // `deliver`, what is not after it is in it already
  std::vector<Txn> deliver;               // committed, in zxid order
  std::vector<Confirmed> confirmed;       // answers to ConfirmLeadership
  std::vector<Payload> refused;           // submitted beyond PeerLimits::outstanding_max
  std::vector<std::string> notes;         // why a role was given up, for the operator's log

  Effects& operator+=(Effects&& next);
  [[nodiscard]] bool empty() const;
};

}  // namespace zab
