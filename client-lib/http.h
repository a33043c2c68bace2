#pragma once

#include <chrono>
#include <string>

#include "client-lib/hosts.h"
#include "wire/result.h"

namespace zabkeeper {

struct HttpReply {
  unsigned status = 0;
  std::string body;
};

// One GET of a page that a server has for plain HTTP, e.g. "/status". Waits up to twice `timeout`:
// once until a server of this name accepts the connection, and once for the reply.
[[nodiscard]] wire::Result<HttpReply> http_get(const Endpoint& endpoint, const std::string& target,
                                               std::chrono::milliseconds timeout);
// One POST without a body, e.g. "/admin/handover". `authorization` is the header of that name;
// empty: no header.
[[nodiscard]] wire::Result<HttpReply> http_post(const Endpoint& endpoint, const std::string& target,
                                                const std::string& authorization,
                                                std::chrono::milliseconds timeout);

}  // namespace zabkeeper
