#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "server/admin/recent_pages.h"
#include "server/clients/answer.h"
#include "server/metrics/status.h"

namespace server {

// Whether the server answers clients, and if not, why.
struct Readiness {
  bool serving = false;
  std::string why_not;
};

// The sources of the pages. Only those that a page needs are read.
struct PageSources {
  std::function<Status()> status;
  std::function<std::string()> metrics;  // in Prometheus' text format
  std::function<Readiness()> readiness;
};

// The answer to GET /status.
[[nodiscard]] Answer status_answer(const Status& status);

// The answer to a request for a page, or for one that does not exist. `target` is as in the request
// line. Of many requests for a large page at once, some get it from `recent`.
[[nodiscard]] Answer page(std::string_view method, std::string_view target,
                          const PageSources& sources, RecentPages& recent);

}  // namespace server
