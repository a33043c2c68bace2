#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

#include "tests/sim/options.h"

namespace sim {

using Generation = std::uint64_t;  // of a link, or of a server's life; 0 is none

enum class Kind : std::uint8_t {
  // What happens at one server, and waits while it pauses.
  heartbeat,
  deliver,       // the next message of a link
  deliver_self,  // the next message of a server to itself
  up,
  down,
  written,
  read,
  posted,       // an event of its tenant
  tenant_here,  // something of its tenant's
  // What happens to it.
  connect,
  restart,
  resume,
  // Users.
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
  look,  // whether healing is complete
  look_for_progress,
  // Something of the tenant's that happens at no server.
  tenant,
};

struct Happening {
  Time time = 0;
  std::uint64_t sequence = 0;
  Kind kind = Kind::look;
  std::uint32_t server = 0;  // index; where it happens
  std::uint32_t other = 0;   // index; of the other end
  Generation generation = 0;

  bool operator>(const Happening& that) const {
    return time != that.time ? time > that.time : sequence > that.sequence;
  }
};

// Virtual time, and what is to happen in it.
class Calendar {
 public:
  [[nodiscard]] Time now() const { return now_; }
  void pass_until(Time time) { now_ = time > now_ ? time : now_; }

  void schedule(Time time, Happening happening) {
    happening.time = time;
    happening.sequence = ++sequence_;
    queue_.push(happening);
  }
  // Nothing if there is none by then.
  std::optional<Happening> next(Time until) {
    if (queue_.empty() || queue_.top().time > until) return std::nullopt;
    const Happening happening = queue_.top();
    queue_.pop();
    now_ = happening.time;
    return happening;
  }
  Generation new_generation() { return ++generations_; }

 private:
  Time now_ = 0;
  std::uint64_t sequence_ = 0;
  Generation generations_ = 0;
  std::priority_queue<Happening, std::vector<Happening>, std::greater<>> queue_;
};

}  // namespace sim
