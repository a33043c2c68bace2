#pragma once

#include <cstddef>
#include <vector>

#include "tests/sim/service/model.h"

namespace sim {

// That its user believes to have the lock.
struct Hold {
  std::size_t user = 0;
  wire::SessionId session;
  wire::Zxid token;  // the czxid of its node below the lock's
  wire::Zxid since;  // whereupon its user saw that it was first

  bool operator==(const Hold&) const = default;
};

// What a lock protects, outside of the service: it knows the greatest token that it was shown, and
// refuses any smaller one. Together with what users believe it is told by, this finds what a lock
// must not be. Violations, by name:
//   lock     two sessions, both open at one zxid, and neither has let go: and both believe to hold
//   it fencing  a token is refused whose session is open, and has not let go
class Guard {
 public:
  explicit Guard(const Model& model) : model_(model) {}

  void taken(const Hold& hold);
  // Asks to let go, or has nothing to let go any more.
  void let_go(const Hold& hold);
  // Whether the token is good enough. It may come long after it was sent.
  bool use(const Hold& hold);

 private:
  [[nodiscard]] bool is_open(wire::SessionId session, wire::Zxid at) const;

  const Model& model_;
  std::vector<Hold> held_;  // not let go
  wire::Zxid greatest_;
};

}  // namespace sim
