#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "server/clients/answer.h"
#include "server/metrics/status.h"

namespace server {

// The sources of the pages, read anew for each request.
struct PageSources {
  std::function<Status()> status;
  std::function<std::string()> metrics;  // in Prometheus' text format
};

// The answer to a request for a page, or for one that does not exist. `target` is as in the request
// line.
[[nodiscard]] Answer page(std::string_view method, std::string_view target,
                          const PageSources& sources);

}  // namespace server
