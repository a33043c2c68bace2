#pragma once

#include <compare>
#include <cstdint>
#include <variant>

#include "zab/credentials.h"
#include "zab/ensemble.h"
#include "zab/history.h"

// The messages between peers. Messages between two servers arrive in the order in which they were
// sent. If the link between them goes down, the last messages are lost.
namespace zab {

// --- Election: ZooKeeper's FastLeaderElection ---

// A vote for a leader, with the reason for it: the candidate's current epoch and last zxid. Votes
// are compared by current epoch, then last zxid, then id; the greatest wins.
struct Vote {
  Epoch current_epoch;
  Zxid last_zxid;
  ServerId leader;

  constexpr auto operator<=>(const Vote&) const = default;
};

enum class Role : std::uint8_t { looking, following, observing, leading };

// A server's role and vote. `round` counts the elections that the sender knows of; only votes of
// the same round are compared.
struct Notification {
  Role role = Role::looking;
  std::uint64_t round = 0;
  Vote vote;
  // These describe the sender, not the server that it votes for.
  DiskState disk_state = DiskState::sound;
  Claim claim{};        // only if it is damaged
  ClusterId cluster{};  // none unless it knows that a quorum has adopted this id

  bool operator==(const Notification&) const = default;
};

// --- Discovery: phase 1 ---

// Learner to leader: the first message. A learner may give up a leader and come back over the same
// link, while messages of the leader to the earlier attempt are still in transit. `attempt` is the
// number of earlier attempts over this link.
struct FollowerInfo {
  Epoch accepted_epoch;
  ServerId accepted_leader;  // the leader of that epoch
  Point last;                // the end of the learner's history
  std::uint64_t attempt = 0;
  DiskState disk_state = DiskState::sound;
  Claim claim{};  // only if it is damaged

  bool operator==(const FollowerInfo&) const = default;
};

// Leader to learner: the new epoch, which is above every accepted epoch of a quorum. It answers the
// FollowerInfo of the same attempt. The learner ignores everything that it receives before it.
struct LeaderInfo {
  Epoch epoch;
  std::uint64_t attempt = 0;
  ClusterId cluster{};   // to be adopted together with the history
  bool founded = false;  // the leader knows that a quorum has adopted this cluster id

  bool operator==(const LeaderInfo&) const = default;
};

// Learner to leader: from now on I follow no leader of an earlier epoch; this is my current epoch
// and the end of my history.
struct AckEpoch {
  Epoch epoch;
  Epoch current_epoch;
  Point last;

  bool operator==(const AckEpoch&) const = default;
};

// --- Synchronization: phase 2 ---

// Leader to learner: your history is a prefix of mine; the next proposals come after `from`.
struct Diff {
  Point from;

  bool operator==(const Diff&) const = default;
};

// Leader to learner: truncate your history after `to`; the next proposals come after `to`.
struct Trunc {
  Point to;

  bool operator==(const Trunc&) const = default;
};

// Leader to learner: replace your history by the state at `at`, which comes in SnapChunks. The
// proposals behind the chunks come after `at`.
struct Snap {
  Point at;

  bool operator==(const Snap&) const = default;
};

// Leader to learner: the next bytes of a snapshot. This room does not know their meaning.
struct SnapChunk {
  Payload bytes;
  bool last = false;
};

// Learner to leader: my history does not contain the point of your Diff or Trunc. Synchronize me
// again, from this earlier point. The learner ignores everything that the leader sent since.
struct Diverged {
  Point last;

  bool operator==(const Diverged&) const = default;
};

// Leader to learner: you have received my history; adopt it under this epoch.
struct NewLeader {
  Epoch epoch;

  bool operator==(const NewLeader&) const = default;
};

// Learner to leader: history and epoch are durable, in one write.
struct AckNewLeader {
  Epoch epoch;

  bool operator==(const AckNewLeader&) const = default;
};

// Leader to learner: the epoch is established; everything up to `committed` is committed.
struct UpToDate {
  Zxid committed;

  bool operator==(const UpToDate&) const = default;
};

// --- Broadcast: phase 3 ---

// Leader to voter: a transaction. During synchronization, between Diff, Trunc or Snap and
// NewLeader, proposals carry the leader's history, to observers too.
struct Proposal {
  Zxid zxid;
  Payload payload;
};

// Voter to leader: my history is durable up to `zxid`.
struct Ack {
  Zxid zxid;

  bool operator==(const Ack&) const = default;
};

// Leader to follower: everything up to `zxid` is committed.
struct Commit {
  Zxid zxid;

  bool operator==(const Commit&) const = default;
};

// Leader to observer: a committed transaction.
struct Inform {
  Zxid zxid;
  Payload payload;
};

// Leader to learner: I stop leading, and everything is committed. `server` has all of it and leads
// next, without an election.
struct Successor {
  ServerId server;

  bool operator==(const Successor&) const = default;
};

// --- Heartbeats ---

// Leader to learner: sent each tick, and to confirm leadership. `probe` rises. `last` is the end of
// the leader's history.
struct Ping {
  std::uint64_t probe = 0;
  Point last;

  bool operator==(const Ping&) const = default;
};

// Learner to leader: I still follow you. Answers the Ping of the same probe. `last` is the end of
// the learner's history.
struct Pong {
  std::uint64_t probe = 0;
  Point last;

  bool operator==(const Pong&) const = default;
};

using Message = std::variant<Notification, FollowerInfo, LeaderInfo, AckEpoch, Diff, Trunc, Snap,
                             SnapChunk, Diverged, NewLeader, AckNewLeader, UpToDate, Proposal, Ack,
                             Commit, Inform, Successor, Ping, Pong>;

}  // namespace zab
