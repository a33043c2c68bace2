#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <unordered_map>
#include <vector>

#include "wire/records.h"

namespace session {

// When sessions end: the leader's own clock, in ticks, which no other server knows. A session is
// expired by the first tick() that comes more than its timeout after it was last touched: never
// early, at most one tick late. Costs are those of the sessions that were not touched for a
// timeout, whatever their number.
class Expiry {
 public:
  // Begins to watch a session, or gives it another timeout; it counts as touched. At least one
  // tick.
  void add(wire::SessionId session, std::uint32_t timeout_ticks);
  // It was heard of. Nothing where it is not watched.
  void touch(wire::SessionId session);
  void remove(wire::SessionId session);

  // A tick has passed. Returns the sessions that it expires, in the order of their ids; they are
  // not watched any more.
  [[nodiscard]] std::vector<wire::SessionId> tick();

  // Every session counts as touched: nobody knows what was heard of it before this server led.
  void reset();
  // Watches nobody.
  void clear();

  [[nodiscard]] std::size_t size() const { return sessions_.size(); }

 private:
  struct Watched {
    std::uint32_t timeout_ticks = 0;
    std::uint64_t deadline = 0;  // the tick that expires it
    std::uint64_t bucket = 0;    // where it will be looked at; never after the deadline
  };
  struct Hash {
    std::size_t operator()(wire::SessionId id) const {
      return std::hash<std::uint64_t>{}(id.value);
    }
  };

  void put(wire::SessionId session, Watched& watched);

  std::uint64_t now_ = 0;
  std::unordered_map<wire::SessionId, Watched, Hash> sessions_;
  // Sessions to be looked at in a tick. May name some that are gone or stand elsewhere by now.
  std::map<std::uint64_t, std::vector<wire::SessionId>> buckets_;
};

}  // namespace session
