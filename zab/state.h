#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "zab/credentials.h"
#include "zab/ensemble.h"
#include "zab/history.h"

namespace zab {

// The state that survives a crash. The names are those of ZooKeeper's specification.
struct Durable {
  Epoch accepted_epoch;      // the paper's f.p: the last epoch that this server accepted
  ServerId accepted_leader;  // the leader of that epoch
  Epoch current_epoch;       // the paper's f.a: the last epoch whose history it adopted
  ClusterId cluster;         // adopted together with a history
  bool founded = false;      // this server knows that a quorum has adopted that cluster id
  History history;
  Zxid applied;  // the zxid of the checkpoint: committed, and not delivered again
  // Set if the disk has lost a part of its content. Then `history` is the part that is left, and
  // the claim says how far the history reached, at least.
  std::optional<Claim> damaged;

  [[nodiscard]] DiskState disk_state() const {
    if (damaged) return DiskState::damaged;
    return current_epoch == Epoch{} ? DiskState::blank : DiskState::sound;
  }
  // All zeros unless the server is damaged.
  [[nodiscard]] Claim claim() const { return damaged.value_or(Claim{}); }
  // The cluster id that this server shows to others: none until it knows that a quorum has adopted
  // that id.
  [[nodiscard]] ClusterId known_cluster() const { return founded ? cluster : ClusterId{}; }
};

struct PeerLimits {
  // In ticks, that is in heartbeat intervals.
  std::uint32_t init_limit = 100;     // how long a new leader waits for progress with a quorum
  std::uint32_t sync_limit = 12;      // how long a leader or a learner may be silent
  std::uint32_t settle_ticks = 4;     // how long an election waits for voters that do not agree yet
  std::uint32_t founding_ticks = 40;  // how long a quorum waits for all voters before it founds

  std::uint64_t counter_max = Zxid::counter_max;  // proposals of one epoch
  std::uint64_t outstanding_max = 65536;          // proposals that are not committed yet
  // Bytes of payload kept in memory. Older transactions that were delivered are read from the log
  // when a learner needs them.
  std::uint64_t history_bytes = std::uint64_t{16} << 20;
};

// The state that all roles of one peer share: the durable part, and the peer's knowledge of others.
struct State {
  ServerId self;
  Ensemble ensemble;
  PeerLimits limits;
  Durable durable;
  ClusterId new_cluster;  // random: the cluster id if this server founds a cluster

  Zxid last_committed;      // as far as this server knows
  Zxid last_delivered;      // <= last_committed
  std::uint64_t round = 0;  // of elections
  // Results of elections, in a row, that this server gave up again because of another server.
  std::uint32_t elections_given_up = 0;
  Epoch epoch_seen;  // the greatest accepted epoch that this server knows of
  // The links that are up, and how often this server has come to the other end as a learner.
  std::map<ServerId, std::uint64_t> links;
  std::set<ServerId> foreign;      // linked servers of another cluster: their messages are ignored
  std::uint64_t read_tickets = 0;  // the last ticket of a read request, over all roles

  [[nodiscard]] bool votes() const { return ensemble.is_voter(self); }
  // Whether the link is up, and leads to the same cluster.
  [[nodiscard]] bool reaches(ServerId server) const {
    return links.contains(server) && !foreign.contains(server);
  }
};

}  // namespace zab
