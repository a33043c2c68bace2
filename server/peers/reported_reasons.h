#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace server {

// The reasons that were logged recently, so that a connection which fails again and again for the
// same reason is logged once, and then counted. Anyone can connect, so what is remembered has a
// bound.
class ReportedReasons {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  static constexpr std::size_t reasons_max = 64;
  static constexpr std::chrono::minutes silent_for{10};

  // Whether to log now that a connection with `source` failed for this reason: how often it was not
  // logged since the last time, 0 if it is new. A reason of a source is logged again when
  // `silent_for` has passed. With `reasons_max` reasons no other one is logged until one of them is
  // so old.
  [[nodiscard]] std::optional<std::uint64_t> note(const std::string& source,
                                                  const std::string& reason, TimePoint now);
  // To be called when a connection with `source` succeeds: its reasons are new afterwards.
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
