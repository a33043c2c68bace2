#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <unordered_map>
#include <vector>

#include "wire/records.h"

namespace session {

// The expiry of sessions on the leader, in the leader's own ticks. A session is due at the first
// tick() that comes more than its timeout after its last touch: never early, and at most one tick
// late. The cost of a tick depends on the sessions that were not touched for a timeout, and
// not on the number of all sessions.
class Expiry {
 public:
  // Begins to track a session, or changes its timeout; also touches it. The timeout is at least one
  // tick.
  void add(wire::SessionId session, std::uint32_t timeout_ticks);
  // The session is alive. No effect if it is not tracked.
  void touch(wire::SessionId session);
  // Returns whether it was tracked.
  bool remove(wire::SessionId session);

  // A tick has passed. Returns the sessions that are due, in the order of their ids, each once. A
  // session stays due until it is removed, or until it is touched: then it has its full timeout
  // again.
  [[nodiscard]] std::vector<wire::SessionId> tick();

  // Whether the session is tracked, and not due.
  [[nodiscard]] bool is_alive(wire::SessionId session) const;

  // Touches all sessions: it is unknown when they were last alive before this server led.
  void reset();
  // Stops tracking all sessions.
  void clear();

  [[nodiscard]] std::size_t size() const { return sessions_.size(); }

 private:
  struct Tracked {
    std::uint32_t timeout_ticks = 0;
    std::uint64_t deadline = 0;  // the tick that expires it
    std::uint64_t bucket = 0;    // the tick of its bucket; never after the deadline
    bool due = false;
  };
  struct Hash {
    std::size_t operator()(wire::SessionId id) const {
      return std::hash<std::uint64_t>{}(id.value);
    }
  };

  void schedule(wire::SessionId session, Tracked& tracked);

  std::uint64_t now_ = 0;
  std::unordered_map<wire::SessionId, Tracked, Hash> sessions_;
  // By tick: the sessions to check then. An entry is stale if the session was removed, or has
  // another bucket now. There may be two of one session that was removed and added again.
  std::map<std::uint64_t, std::vector<wire::SessionId>> buckets_;
};

}  // namespace session
