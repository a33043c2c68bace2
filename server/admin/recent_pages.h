#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "server/clients/answer.h"
#include "server/metrics/counters.h"

namespace server {

// Keeps pages that take long to make, so that many requests for them do not take the event loop's
// time. Each interval has a little time to make a page anew. After that, until the interval ends,
// requests get the page that was made last.
class RecentPages {
 public:
  static constexpr std::chrono::milliseconds interval{50};
  static constexpr std::chrono::milliseconds time_of_interval{5};

  using Clock = std::function<SteadyClock::time_point()>;
  explicit RecentPages(Clock clock = SteadyClock::now) : clock_(std::move(clock)) {}

  // The page `name`, that `make` makes.
  [[nodiscard]] const Answer& get(std::string_view name, const std::function<Answer()>& make);

 private:
  struct Page {
    Answer answer;
    SteadyClock::time_point begin{};  // of the interval
    SteadyClock::duration took{};     // in this interval
  };

  Clock clock_;
  std::map<std::string, Page, std::less<>> pages_;
};

}  // namespace server
