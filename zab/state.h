#pragma once

#include <cstdint>
#include <map>

#include "zab/ensemble.h"
#include "zab/history.h"

namespace zab {

// What survives a crash. Names as in ZooKeeper's specification.
struct Durable {
  Epoch accepted_epoch;      // the paper's f.p: the last epoch promised to
  ServerId accepted_leader;  // whose epoch that was
  Epoch current_epoch;       // the paper's f.a: the last epoch whose history was adopted
  History history;
  Zxid applied;  // what a checkpoint already holds: committed, and not delivered again
};

// In ticks, that is heartbeat intervals.
struct Limits {
  std::uint32_t init_limit = 100;  // for an election's winner to get its epoch established
  std::uint32_t sync_limit = 12;   // without a word from the leader, or from a quorum of voters
  std::uint32_t settle = 4;        // for a better vote to come from a voter that has not agreed yet
};

// What all roles of one peer share: that which survives a crash, and what is known of the world.
struct State {
  ServerId self;
  Ensemble ensemble;
  Limits limits;
  Durable durable;

  Zxid last_committed;      // as far as this server knows
  Zxid last_delivered;      // <= last_committed
  std::uint64_t round = 0;  // of elections
  Epoch epoch_seen;         // the greatest that anybody said to have accepted
  // Those that are up, and how often this server has come to the other end as a learner.
  std::map<ServerId, std::uint64_t> links;

  [[nodiscard]] bool votes() const { return ensemble.is_voter(self); }
};

}  // namespace zab
