#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "zab/credentials.h"
#include "zab/ensemble.h"
#include "zab/history.h"

namespace zab {

// What survives a crash. Names as in ZooKeeper's specification.
struct Durable {
  Epoch accepted_epoch;      // the paper's f.p: the last epoch promised to
  ServerId accepted_leader;  // whose epoch that was
  Epoch current_epoch;       // the paper's f.a: the last epoch whose history was adopted
  ClusterId cluster;         // adopted with a history
  bool founded = false;      // a quorum is known to have adopted that cluster id
  History history;
  Zxid applied;  // what a checkpoint already holds: committed, and not delivered again
  // Set if the disk has lost a part of what was on it: then `history` is what is left, and this is
  // how far it reached.
  std::optional<Claim> damaged;

  [[nodiscard]] Condition condition() const {
    if (damaged) return Condition::damaged;
    return current_epoch == Epoch{} ? Condition::blank : Condition::sound;
  }
  // Nothing unless it is damaged.
  [[nodiscard]] Claim claim() const { return damaged.value_or(Claim{}); }
  // What others may hold against it: nothing before a quorum is known to have the same.
  [[nodiscard]] ClusterId known_cluster() const { return founded ? cluster : ClusterId{}; }
};

struct PeerLimits {
  // In ticks, that is heartbeat intervals.
  std::uint32_t init_limit = 100;  // for an election's winner to bring a quorum any further
  std::uint32_t sync_limit = 12;   // without a word from the leader, or from a quorum of voters
  std::uint32_t settle = 4;        // for a better vote to come from a voter that has not agreed yet
  std::uint32_t founding = 40;     // for the others to turn up before a quorum begins a new cluster

  std::uint64_t counter_max = Zxid::counter_max;  // proposals of one epoch
  std::uint64_t outstanding_max = 65536;          // proposals that are not committed yet
  // Bytes of payload kept in memory. What is older and delivered is read from the log when a
  // learner needs it.
  std::uint64_t history_bytes = std::uint64_t{16} << 20;
};

// What all roles of one peer share: that which survives a crash, and what is known of the world.
struct State {
  ServerId self;
  Ensemble ensemble;
  PeerLimits limits;
  Durable durable;
  ClusterId fresh_cluster;  // random: what this server mints if it founds one

  Zxid last_committed;      // as far as this server knows
  Zxid last_delivered;      // <= last_committed
  std::uint64_t round = 0;  // of elections
  std::uint32_t failed_elections =
      0;             // elections in a row that were given up again, for somebody else
  Epoch epoch_seen;  // the greatest that anybody said to have accepted
  // Those that are up, and how often this server has come to the other end as a learner.
  std::map<ServerId, std::uint64_t> links;
  std::set<ServerId> foreign;  // among them, those of another cluster: as if they were not there
  std::uint64_t tickets = 0;   // of all that was asked to be read, in all roles

  [[nodiscard]] bool votes() const { return ensemble.is_voter(self); }
  // Whether the link is up, and leads to the same cluster.
  [[nodiscard]] bool reaches(ServerId server) const {
    return links.contains(server) && !foreign.contains(server);
  }
};

}  // namespace zab
