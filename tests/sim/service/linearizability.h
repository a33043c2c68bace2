#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/service/oracle.h"
#include "tools/history/linearizability.h"

namespace sim {

// Holds all writes, and the reads that ask for it, against each znode by itself: whether they can
// have happened one after the other, each between request and reply as users saw them, so that
// every answer is explained. The oracle compares by zxid; this looks at no zxid, and not into the
// log. What an operation does to other znodes, as a parent that it makes or what it deletes below
// its own, is taken into account; an ephemeral node, a container, and a node with a ttl may go at
// any time.
//
// Not looked at: "/", sequential nodes, and what is told of children, of ACLs and of sessions.
class Linearizability {
 public:
  using History = std::vector<std::shared_ptr<Asked>>;

  explicit Linearizability(const History& history);

  struct Result {
    std::size_t znodes = 0;
    std::size_t given_up = 0;  // of those: the search would have taken too long
  };
  // A Violation if there is a znode whose operations nothing explains.
  Result check(std::size_t steps_max);

 private:
  struct Znode {
    history::Search search{1};
    History asked;  // by the search's numbers
  };
  class Projection;

  std::map<std::string, Znode> znodes_;
  history::Texts texts_;
};

}  // namespace sim
