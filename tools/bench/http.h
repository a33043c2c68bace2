#pragma once

#include <cstdint>
#include <string>

namespace bench {

struct HttpReply {
  int status = 0;  // 0: no reply came
  std::string body;
};

// One GET to 127.0.0.1. Waits a second at most for each part of the reply.
[[nodiscard]] HttpReply http_get(std::uint16_t port, const std::string& path);

}  // namespace bench
