#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <unordered_map>

#include "session/commands.h"

namespace server {

// Whose command the leader plans next. Few enough are on their way at once that nobody waits long
// behind them, of one session and of all; what is beyond that waits, each session's in its order,
// and sessions take turns. Commands that are not of a session yet (or of nobody) are bound by the
// number of all only.
class FairQueue {
 public:
  struct Bounds {
    std::size_t session = 128;
    std::size_t all = 16384;
  };

  explicit FairQueue(Bounds bounds) : bounds_(bounds) {}

  // Whether a command of this session that comes now need not be held.
  [[nodiscard]] bool is_free(wire::SessionId session) const;
  void hold(session::Command command);
  // The held one whose turn it is, no longer held. What became of it is to be said: `went` or
  // `came_to_nothing`. The same goes for a command that was free.
  std::optional<session::Command> next();
  void went(wire::SessionId session);
  void came_to_nothing(wire::SessionId session);
  // The one that is longest on its way has arrived, if there is one.
  void arrived();

  // On their way, and waiting for their turn.
  [[nodiscard]] std::size_t under_way() const { return under_way_.size(); }
  [[nodiscard]] std::size_t held() const { return held_; }
  void clear();

 private:
  struct Line {
    std::size_t under_way = 0;
    bool queued = false;               // in `fair_queue_`
    std::list<session::Command> held;  // empty for most, and then nothing is allocated
  };
  [[nodiscard]] bool is_full(std::uint64_t session, const Line& line) const;
  // Queues a line that holds something and has not too much on its way; forgets one that is empty.
  void settle(std::uint64_t session);

  Bounds bounds_;
  std::size_t held_ = 0;
  std::unordered_map<std::uint64_t, Line> lines_;  // by session; those with anything in them
  std::deque<std::uint64_t> fair_queue_;           // lines that may go on
  std::deque<std::uint64_t> under_way_;            // sessions, the oldest first
};

}  // namespace server
