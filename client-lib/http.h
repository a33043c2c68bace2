#pragma once

#include <chrono>
#include <string>

#include "client-lib/hosts.h"
#include "wire/result.h"

namespace zabkeeper {

struct HttpAnswer {
  unsigned status = 0;
  std::string body;
};

// One GET of what a server says over plain HTTP, e.g. "/status". Blocks, but not beyond `deadline`.
[[nodiscard]] wire::Result<HttpAnswer> http_get(const Endpoint& endpoint, const std::string& target,
                                                std::chrono::milliseconds deadline);
// One POST without a body, e.g. "/admin/handover". `authorization` is the header of that name, and
// may be empty.
[[nodiscard]] wire::Result<HttpAnswer> http_post(const Endpoint& endpoint,
                                                 const std::string& target,
                                                 const std::string& authorization,
                                                 std::chrono::milliseconds deadline);

}  // namespace zabkeeper
