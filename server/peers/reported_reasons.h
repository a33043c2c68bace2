#pragma once

#include <chrono>
#include <cstddef>
#include <set>
#include <string>

namespace server {

// The reasons that were logged recently, so that a connection that fails again and again for the
// same reason is logged once. Anyone can connect, so what is remembered has a bound.
class ReportedReasons {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  static constexpr std::size_t reasons_max = 64;
  static constexpr std::chrono::minutes forgotten_after{10};

  // Whether to log this reason now: true if it is new. With `reasons_max` reasons no other one is
  // logged. All reasons are forgotten when `forgotten_after` has passed since the first one.
  [[nodiscard]] bool is_new(const std::string& reason, TimePoint now);
  // To be called when a connection succeeds: all reasons are new afterwards.
  void forget();

 private:
  std::set<std::string> reasons_;
  TimePoint since_;  // of the first of `reasons_`
};

}  // namespace server
