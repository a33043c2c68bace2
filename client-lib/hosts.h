#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "wire/address.h"
#include "wire/result.h"

namespace zabkeeper {

// Where a server accepts WebSocket connections.
struct Endpoint {
  wire::Address address;
  std::string target = "/v1";

  // "ws://host:port"
  [[nodiscard]] std::string url() const;
  bool operator==(const Endpoint&) const = default;
};

// Parses a list such as "ws://a:2180,ws://[::1]:2190/v1,c". Scheme, port and path may be left out.
[[nodiscard]] wire::Result<std::vector<Endpoint>> parse_endpoints(std::string_view text);

// Decides which server to try next, and how long to wait before. The order is shuffled once, so
// that many clients spread over an ensemble. Waits begin after every server was tried, double with
// every round, and vary by half, so that clients of the same lost server do not reconnect at once.
class Hosts {
 public:
  struct Backoff {
    std::chrono::milliseconds first{50};
    std::chrono::milliseconds longest{2'000};
  };

  // `endpoints` must not be empty.
  Hosts(std::vector<Endpoint> endpoints, Backoff backoff, std::uint64_t seed);

  struct Attempt {
    Endpoint endpoint;
    std::chrono::milliseconds wait{0};
  };
  [[nodiscard]] Attempt next();
  // The last attempt led to a session. The next attempt does not wait.
  void succeeded() { tried_ = 0; }
  [[nodiscard]] std::size_t size() const { return endpoints_.size(); }

 private:
  std::vector<Endpoint> endpoints_;
  Backoff backoff_;
  std::mt19937_64 random_;
  std::size_t at_ = 0;
  std::size_t tried_ = 0;  // since the last success
};

}  // namespace zabkeeper
