#pragma once

#include "server/metrics/counters.h"
#include "zab/effects.h"

namespace server {

// Measures how long this server did not serve because it had no leader. It begins without one.
class Availability {
 public:
  explicit Availability(SteadyClock::time_point now) : since_(now) {}

  void note(const zab::RoleStatus& role_status, SteadyClock::time_point now) {
    if (role_status.serving == serves_) return;
    serves_ = role_status.serving;
    if (serves_) {
      unserved_before_ += now - since_;
      outages_.observe(now - since_);
    }
    since_ = now;
  }

  // Each time without a leader, once it is over.
  [[nodiscard]] const Histogram& outages() const { return outages_; }
  // The sum of all of them, including the current one.
  [[nodiscard]] Histogram::Duration unserved(SteadyClock::time_point now) const {
    return unserved_before_ + (serves_ ? Histogram::Duration::zero() : now - since_);
  }

 private:
  SteadyClock::time_point since_;  // the last change of serves_
  Histogram::Duration unserved_before_{0};
  Histogram outages_;
  bool serves_ = false;
};

}  // namespace server
