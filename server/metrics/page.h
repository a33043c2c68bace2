#pragma once

#include <string>

#include "server/metrics/readings.h"

namespace server {

// The media type of the page.
inline constexpr auto metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

// The answer to GET /metrics, in Prometheus' text format. docs/metrics.md has every name.
[[nodiscard]] std::string metrics_page(const Readings& readings);

}  // namespace server
