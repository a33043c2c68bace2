#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "zab/messages.h"

namespace zab {

// A message and its receiver. It is sent over the link that is up at the time of the step, and is
// lost if that link goes down first. An envelope that a peer addresses to itself comes back to the
// peer as `Received`.
struct Envelope {
  ServerId to;
  Message message;
};

// From now on, follow no leader of an earlier epoch, and in this epoch only `leader`.
struct AcceptEpoch {
  Epoch epoch;
  ServerId leader;

  bool operator==(const AcceptEpoch&) const = default;
};

// Adopts the leader's history under the leader's epoch, as one write: truncates after `from`, adds
// `txns`, and sets the current epoch and the cluster. Repairs a damaged history.
struct AdoptHistory {
  Epoch epoch;
  ClusterId cluster;
  // A point on this server's history. With `snapshot`, the point of the stored snapshot: then the
  // history before `from` is dropped too, and the snapshot replaces the checkpoint.
  Point from;
  bool snapshot = false;
  std::vector<Txn> txns;
};

struct Append {
  Txn txn;
};

// Records that a quorum has adopted this server's cluster id.
struct MarkFounded {
  bool operator==(const MarkFounded&) const = default;
};

// Stores the next bytes of the snapshot at `at`. `first` begins a new snapshot and replaces what
// was stored of an earlier one. A stored snapshot has no effect until AdoptHistory adopts it.
struct StoreSnapshot {
  Point at;
  bool first = false;
  bool last = false;
  Payload bytes;
};

using Persist = std::variant<AcceptEpoch, AdoptHistory, Append, MarkFounded, StoreSnapshot>;

struct Durable;
// Applies `persist` to `durable`, so that `durable` is the state once `persist` is durable.
void store(const Persist& persist, Durable& durable);

// Read the log after `after`, and answer with HistoryRead. It is for a learner that claims to have
// `after` in its history. Answer no faster than the link to the learner can send. The read is
// cancelled by a later read for the same learner, by the loss of its link, and by the end of this
// peer's lead.
struct ReadHistory {
  ServerId learner;
  std::uint64_t ticket = 0;
  Point after;
};

// Read the next chunk of a snapshot of this server's state, and answer with SnapshotRead. It is for
// a learner that is too far behind for the log. The first chunk decides the point of the snapshot;
// the other chunks belong to the same one. Pace and cancellation are those of ReadHistory.
struct ReadSnapshot {
  ServerId learner;
  std::uint64_t ticket = 0;
  bool first = false;
};

using Read = std::variant<ReadHistory, ReadSnapshot>;

// A peer's part in the ensemble, for the users of the peer.
struct RoleStatus {
  Role role = Role::looking;
  bool serving = false;  // leading or learning in an established epoch
  Epoch epoch;           // that epoch, if serving
  ServerId leader;       // the leader it follows (itself if it leads); none while looking

  bool operator==(const RoleStatus&) const = default;
};

// A line for the operator's log.
struct Note {
  enum class Kind : std::uint8_t {
    role_given_up,
    counter_used_up,  // a role given up: the epoch has no zxid left
    protocol_error,   // a role given up: the leader sent what a correct leader does not send
    foreign_server,   // another server belongs to another cluster
    unable_to_join,   // another server can never join this leader
  };

  Kind kind = Kind::role_given_up;
  std::string text;
};

// This peer was the leader when the ConfirmLeadership with this token came. Every transaction that
// any client saw acknowledged before that is at or before `committed`.
struct Confirmed {
  std::uint64_t token = 0;
  Zxid committed;

  bool operator==(const Confirmed&) const = default;
};

// The effects of one step of a peer. The driver carries them out from top to bottom. Adding two
// Effects list by list is always allowed: that is group commit.
struct Effects {
  std::optional<RoleStatus> role_status;  // set if it changed
  std::vector<Envelope> send;             // promises nothing durable: may leave at once
  std::vector<Persist> persist;           // one atomic, synced write, in order
  std::vector<Envelope> confirm;          // promises `persist`: leaves only after it, in order
  std::vector<Read> read;                 // each is answered by a later event
  std::optional<Point> restore;           // the state becomes that of the snapshot adopted here; it
                                          // already contains the part of `deliver` up to this point
  std::vector<Txn> deliver;               // committed, in zxid order
  std::vector<Confirmed> confirmed;       // answers to ConfirmLeadership
  std::vector<Payload> refused;           // submitted beyond PeerLimits::outstanding_max
  std::vector<Note> notes;                // for the operator's log

  Effects& operator+=(Effects&& next);
  [[nodiscard]] bool empty() const;
};

}  // namespace zab
