#pragma once

#include <compare>
#include <cstdint>
#include <variant>

#include "zab/credentials.h"
#include "zab/ensemble.h"
#include "zab/history.h"

// What servers say to each other. Between two servers messages arrive in the order in which they
// were sent, or the link between them goes down and loses a suffix.
namespace zab {

// --- Election: ZooKeeper's FastLeaderElection ---

// Whom a server would have lead, and why: the candidate's current epoch and last zxid, its id last.
// Votes are compared in that order; the greatest wins.
struct Vote {
  Epoch current_epoch;
  Zxid last_zxid;
  ServerId leader;

  constexpr auto operator<=>(const Vote&) const = default;
};

enum class Role : std::uint8_t { looking, following, observing, leading };

// `round` counts the elections that the sender knows of; only votes of one round are compared.
struct Notification {
  Role role = Role::looking;
  std::uint64_t round = 0;
  Vote vote;
  // Of the sender, whomever it votes for. The claim is there if it is damaged.
  Condition condition = Condition::sound;
  Claim claim{};
  ClusterId cluster{};  // none unless it knows that a quorum has it

  bool operator==(const Notification&) const = default;
};

// --- Discovery: phase 1 ---

// Learner to leader, first of all. A learner may give a leader up and come back over the same link,
// while what the leader sent to it before is still on its way: `attempt` is how often it had come
// over this link already.
struct FollowerInfo {
  Epoch accepted_epoch;
  ServerId accepted_leader;  // whose epoch that was
  Point last;
  std::uint64_t attempt = 0;
  Condition condition = Condition::sound;
  Claim claim{};  // if it is damaged

  bool operator==(const FollowerInfo&) const = default;
};

// Leader to learner: the epoch that begins. Above every accepted epoch of a quorum. Answers the
// FollowerInfo of the same attempt; what the learner receives before it is void.
struct LeaderInfo {
  Epoch epoch;
  std::uint64_t attempt = 0;
  ClusterId cluster{};   // to be adopted with the history
  bool founded = false;  // a quorum is known to have adopted that before

  bool operator==(const LeaderInfo&) const = default;
};

// Learner to leader: follows no leader of an earlier epoch any more, and stands here.
struct AckEpoch {
  Epoch epoch;
  Epoch current_epoch;
  Point last;

  bool operator==(const AckEpoch&) const = default;
};

// --- Synchronization: phase 2 ---

// Leader to learner: your history is a prefix of mine; what follows comes after `from`.
struct Diff {
  Point from;

  bool operator==(const Diff&) const = default;
};

// Leader to learner: forget everything after `to`; what follows comes after it.
struct Trunc {
  Point to;

  bool operator==(const Trunc&) const = default;
};

// Leader to learner: forget your history, and take over the state as of `at`, which comes in
// SnapChunks; what follows them comes after it.
struct Snap {
  Point at;

  bool operator==(const Snap&) const = default;
};

// The next bytes of a snapshot, whose meaning this room does not know.
struct SnapChunk {
  Payload bytes;
  bool last = false;
};

// Learner to leader: my history does not go through the point you named. Plan again, from here.
// Everything sent since is void.
struct Diverged {
  Point last;

  bool operator==(const Diverged&) const = default;
};

// Leader to learner: you now have my history; adopt it under this epoch.
struct NewLeader {
  Epoch epoch;

  bool operator==(const NewLeader&) const = default;
};

// Learner to leader: history and epoch are durable, as one.
struct AckNewLeader {
  Epoch epoch;

  bool operator==(const AckNewLeader&) const = default;
};

// Leader to learner: the epoch is established; everything up to here is committed.
struct UpToDate {
  Zxid committed;

  bool operator==(const UpToDate&) const = default;
};

// --- Broadcast: phase 3 ---

// Also carries the history in synchronization, between Diff, Trunc or Snap and NewLeader.
struct Proposal {
  Zxid zxid;
  Payload payload;
};

// Learner to leader: durable up to here.
struct Ack {
  Zxid zxid;

  bool operator==(const Ack&) const = default;
};

// Leader to follower: committed up to here.
struct Commit {
  Zxid zxid;

  bool operator==(const Commit&) const = default;
};

// Leader to observer: a transaction that is committed.
struct Inform {
  Zxid zxid;
  Payload payload;
};

// Leader to learner: everything is committed, and I lead no more; let this server lead, who has it
// all. Followed without an election.
struct Successor {
  ServerId server;

  bool operator==(const Successor&) const = default;
};

// --- Heartbeats ---

// Leader to learner, each tick and whenever leadership is to be confirmed. `probe` rises.
struct Ping {
  std::uint64_t probe = 0;
  Point last;

  bool operator==(const Ping&) const = default;
};

// Learner to leader: still following you; answers the Ping of the same probe.
struct Pong {
  std::uint64_t probe = 0;
  Point last;

  bool operator==(const Pong&) const = default;
};

using Message = std::variant<Notification, FollowerInfo, LeaderInfo, AckEpoch, Diff, Trunc, Snap,
                             SnapChunk, Diverged, NewLeader, AckNewLeader, UpToDate, Proposal, Ack,
                             Commit, Inform, Successor, Ping, Pong>;

}  // namespace zab
