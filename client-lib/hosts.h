#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "wire/result.h"

namespace zabkeeper {

// Where a server takes WebSocket connections.
struct Endpoint {
  std::string host;
  std::string port;
  std::string target = "/v1";

  // "ws://host:port"
  [[nodiscard]] std::string url() const;
  bool operator==(const Endpoint&) const = default;
};

// "ws://a:2180,ws://[::1]:2190/v1,c": scheme, port and path may be left out.
[[nodiscard]] wire::Result<std::vector<Endpoint>> parse_endpoints(std::string_view text);

// Which server to try next, and how long to wait before. The order is shuffled once, so that many
// clients spread over an ensemble. Waits begin when every server was tried, double with every
// round, and vary by half, so that clients which lost the same server do not come back as one.
class Hosts {
 public:
  struct Backoff {
    std::chrono::milliseconds first{50};
    std::chrono::milliseconds longest{2'000};
  };

  // `endpoints` holds at least one.
  Hosts(std::vector<Endpoint> endpoints, Backoff backoff, std::uint64_t seed);

  struct Attempt {
    Endpoint endpoint;
    std::chrono::milliseconds wait{0};
  };
  [[nodiscard]] Attempt next();
  // The last attempt led to a session: the next attempt waits for nothing.
  void succeeded() { tried_ = 0; }

 private:
  std::vector<Endpoint> endpoints_;
  Backoff backoff_;
  std::mt19937_64 random_;
  std::size_t at_ = 0;
  std::size_t tried_ = 0;  // since the last success
};

}  // namespace zabkeeper
