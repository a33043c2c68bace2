#include "server/admin/recent_pages.h"

namespace server {

const Answer& RecentPages::get(std::string_view name, const std::function<Answer()>& make) {
  const SteadyClock::time_point now = clock_();
  auto found = pages_.find(name);
  const bool is_first = found == pages_.end();
  if (is_first) found = pages_.try_emplace(std::string(name)).first;
  Page& page = found->second;
  if (is_first || now - page.begin >= interval) {
    page.begin = now;
    page.took = {};
  } else if (page.took >= time_of_interval) {
    return page.answer;
  }
  page.answer = make();
  page.took += clock_() - now;
  return page.answer;
}

}  // namespace server
