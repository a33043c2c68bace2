#pragma once

#include <chrono>
#include <optional>

namespace shell {

// When a command that runs under a lock must end, so that it has ended before another client can
// hold the lock. It depends only on the arguments of `look`.
//
// - The deadline of the lock moves on with each heartbeat. The time between a look and the deadline
//   is the time that is left; the longest such time seen so far is the whole time.
// - With a sixth of the whole time left, the command gets SIGTERM. While a server answers, more
// than
//   half is left. A client whose server stands still tries the next one with a third left, so it
//   has time to find one.
// - With a fiftieth left, the command gets SIGKILL. So it ends before the deadline.
// - The lock can be lost before its deadline: its node was deleted, or the session was ended. Then
//   another client may already hold it. The command gets SIGTERM at once, and SIGKILL at most a
//   second later.
class EndPlan {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class Step { run, terminate, kill };
  struct Look {
    Time now;
    Time deadline;  // Time::max(): no server has promised anything
    bool is_lost = false;
  };

  // The step that is due. A step may go back to `run` if the deadline moves on.
  Step look(const Look& look);
  // When to look again.
  [[nodiscard]] Time next_look() const { return next_look_; }

 private:
  std::chrono::nanoseconds whole_{0};
  std::optional<Time> deadline_;   // the last one that was promised
  std::optional<Time> killed_at_;  // set when the lock is lost
  Time next_look_ = Time::min();
};

}  // namespace shell
