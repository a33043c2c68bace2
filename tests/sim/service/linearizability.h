#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/service/oracle.h"
#include "tools/history/linearizability.h"

namespace sim {

// Checks for each znode whether all writes and linearizable reads are linearizable: there is an
// order in which each operation happens between its request and its reply, and which explains every
// reply. Unlike the oracle, this uses neither zxids nor the log. It includes the effects of
// operations on other znodes: created parents and deleted subtrees. Ephemeral nodes, containers and
// TTL nodes may be deleted at any time.
//
// Not checked: "/", sequential nodes, and replies about children, ACLs and sessions.
class Linearizability {
 public:
  using History = std::vector<std::shared_ptr<TrackedRequest>>;

  explicit Linearizability(const History& history);

  struct Result {
    std::size_t znodes = 0;
    std::size_t given_up = 0;  // znodes whose search was stopped because it was too long
  };
  // Throws a Violation if no order explains the operations on a znode. Stops the search
  // of a znode after `steps_max` steps.
  Result check(std::size_t steps_max);

 private:
  struct Znode {
    history::Search search{1};
    History requests;  // by the search's numbers
  };
  class Projection;

  std::map<std::string, Znode> znodes_;
  history::Texts texts_;
};

}  // namespace sim
