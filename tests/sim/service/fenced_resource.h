#pragma once

#include <cstddef>
#include <vector>

#include "tests/sim/service/model.h"

namespace sim {

// A user's belief that it holds the lock.
struct LockHold {
  std::size_t user = 0;
  wire::SessionId session;
  wire::Zxid token;  // the fencing token: the czxid of its node below the lock's node
  wire::Zxid since;  // the zxid of the reply that showed it first in the queue

  bool operator==(const LockHold&) const = default;
};

// A resource outside of the service that a lock protects. It remembers the greatest fencing token,
// and refuses any smaller one. Users also report when they acquire and release the lock.
// Violations:
//   lock     two users believe that they hold the lock, with sessions open at the same zxid
//   fencing  a token is refused although its session is open and has not released the lock
class FencedResource {
 public:
  explicit FencedResource(const Model& model) : model_(model) {}

  void on_acquired(const LockHold& hold);
  // The user releases the lock, or does not hold it any more.
  void on_released(const LockHold& hold);
  // A use of the resource. Returns whether the token is accepted. Uses may arrive late.
  bool use(const LockHold& hold);

 private:
  [[nodiscard]] bool is_open(wire::SessionId session, wire::Zxid at) const;

  const Model& model_;
  std::vector<LockHold> holds_;  // not released
  wire::Zxid greatest_;
};

}  // namespace sim
