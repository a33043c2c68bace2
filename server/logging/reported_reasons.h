#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace server {

// The reasons that were logged recently. If the same thing fails again and again for the same
// reason, the reason is logged once, and then counted. A source is what fails: a connection with an
// address, a snapshot for a server. Anyone can connect, so the number of remembered reasons is
// bounded.
class ReportedReasons {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  static constexpr std::size_t reasons_max = 64;
  static constexpr std::chrono::minutes silent_for{10};

  // `source` failed for this reason. Returns nothing if the reason is not to be
  // logged now. Otherwise returns how often it was not logged since the last time, 0 if it is new.
  // A reason of a source is logged once in `silent_for`. With `reasons_max` reasons, no other one
  // is logged until one of them is older than that.
  [[nodiscard]] std::optional<std::uint64_t> note(const std::string& source,
                                                  const std::string& reason, TimePoint now);
  // To be called when `source` succeeds: forgets its reasons.
  void forget(const std::string& source);

 private:
  struct Logged {
    TimePoint at;
    std::uint64_t repeats = 0;  // since then
  };

  std::map<std::pair<std::string, std::string>, Logged> reasons_;  // by source and reason
};

// The end of a line, behind the reason: nothing, or " (59 times more since the last such line)".
[[nodiscard]] std::string repeated(std::uint64_t repeats);

}  // namespace server
