#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <list>
#include <optional>
#include <unordered_map>

#include "session/commands.h"

namespace server {

// Decides which command the leader plans next. The number of outstanding commands (planned and not
// applied) is bounded for each session and in all, so that no command waits long behind them. The
// bytes of their transactions are bounded too: until they are applied, nobody else counts them.
// Further commands are held: each session's in their order, and the sessions in turns. Only the
// bound in all applies to commands without a session.
class FairQueue {
 public:
  struct Bounds {
    std::size_t session = 128;
    std::size_t all = 16384;
    // Of transactions. One may be outstanding, however large it is.
    std::size_t bytes = std::numeric_limits<std::size_t>::max();
  };

  explicit FairQueue(Bounds bounds) : bounds_(bounds) {}
  [[nodiscard]] const Bounds& bounds() const { return bounds_; }

  // Whether a command of this session may be planned at once. Otherwise it must be held.
  [[nodiscard]] bool is_free(wire::SessionId session) const;
  // `bytes`: the memory of the command, if no budget counts it.
  void hold(session::Command command, std::size_t bytes = 0);
  // The next held command that may be planned; it is not held any more. Nothing if there is none.
  std::optional<session::Command> next();
  // The outcome of a command that was free, or that `next` returned. `bytes`: of its transaction.
  void planned(wire::SessionId session, std::size_t bytes = 0);
  void refused(wire::SessionId session);
  // A transaction is applied. If there are outstanding commands, it was the oldest of them.
  void applied();

  [[nodiscard]] std::size_t outstanding() const { return outstanding_.size(); }
  [[nodiscard]] std::size_t outstanding_bytes() const { return outstanding_bytes_; }
  [[nodiscard]] std::size_t held() const { return held_; }
  // The sum of `bytes` of the held commands.
  [[nodiscard]] std::size_t held_bytes() const { return held_bytes_; }
  void clear();

 private:
  struct Held {
    session::Command command;
    std::size_t bytes = 0;
  };
  struct Queue {
    std::size_t outstanding = 0;
    bool ready = false;    // in `ready_`
    std::list<Held> held;  // empty for most, and then nothing is allocated
  };
  struct Outstanding {
    std::uint64_t session = 0;
    std::size_t bytes = 0;
  };
  // Whether no command may be planned now, whatever its session.
  [[nodiscard]] bool is_full() const {
    return outstanding_.size() >= bounds_.all || outstanding_bytes_ >= bounds_.bytes;
  }
  [[nodiscard]] bool is_full(std::uint64_t session, const Queue& queue) const;
  // Makes a queue ready that holds something and is not full; forgets one that is empty.
  void update(std::uint64_t session);

  Bounds bounds_;
  std::size_t held_ = 0;
  std::size_t held_bytes_ = 0;
  std::unordered_map<std::uint64_t, Queue> queues_;  // by session; those with anything in them
  std::deque<std::uint64_t> ready_;                  // sessions, in turns
  std::deque<Outstanding> outstanding_;              // the oldest first
  std::size_t outstanding_bytes_ = 0;
};

}  // namespace server
