#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

#include "tests/sim/options.h"

namespace sim {

// Identifies a link, or an incarnation of a server; 0 is none.
using Generation = std::uint64_t;

// The order is part of the event hash.
enum class Kind : std::uint8_t {
  // Events at one server. They wait while it is paused.
  heartbeat,
  deliver,       // the next message of a link
  deliver_self,  // the next message of a server to itself
  up,
  down,
  written,
  read,
  posted,  // an event that the application posted to the peer
  application_event_at_server,
  // Events that change a server.
  connect,
  restart,
  resume,
  // Actions of users.
  submit,
  confirm_leadership,
  hand_over,
  checkpoint,
  // Faults.
  crash,
  crash_in_step,
  crash_all,
  pause,
  partition,
  cut,
  cut_stalled,  // the end of a stall
  slow_link,
  stall_link,
  slow_disk,
  stuck_disk,
  failing_sync,
  full_disk,
  space_returns,
  rot,
  wipe,
  lose_quorum,
  foreign_disk,
  stray,
  // The simulator itself.
  check_healed,
  check_progress,
  // An event of the application that belongs to no server.
  application_event,
};

struct ScheduledEvent {
  Time time = 0;
  std::uint64_t sequence = 0;
  Kind kind = Kind::check_healed;
  std::uint32_t server = 0;  // index of the server where it happens
  std::uint32_t other = 0;   // index of the server at the other end of a link
  Generation generation = 0;

  bool operator>(const ScheduledEvent& that) const {
    return time != that.time ? time > that.time : sequence > that.sequence;
  }
};

// Virtual time, and the events that are scheduled. Events of the same time happen in the order in
// which they were scheduled.
class EventQueue {
 public:
  [[nodiscard]] Time now() const { return now_; }
  void advance_to(Time time) { now_ = time > now_ ? time : now_; }

  void schedule(Time time, ScheduledEvent scheduled) {
    scheduled.time = time;
    scheduled.sequence = ++sequence_;
    queue_.push(scheduled);
  }
  // Removes the next event and advances the time to it; none if there is none up to `until`.
  std::optional<ScheduledEvent> next(Time until) {
    if (queue_.empty() || queue_.top().time > until) return std::nullopt;
    const ScheduledEvent scheduled = queue_.top();
    queue_.pop();
    now_ = scheduled.time;
    return scheduled;
  }
  Generation new_generation() { return ++generations_; }

 private:
  Time now_ = 0;
  std::uint64_t sequence_ = 0;
  Generation generations_ = 0;
  std::priority_queue<ScheduledEvent, std::vector<ScheduledEvent>, std::greater<>> queue_;
};

}  // namespace sim
