#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
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

// Decides which server to try next, and how long to wait before. The order is shuffled, so that
// many clients spread over an ensemble. A server whose last attempt failed is tried after all
// others. Waits begin after every server was tried, double with every round, and vary by half, so
// that clients of the same lost server do not reconnect at once.
//
// The servers are those that the user named, which stay for ever, and those of the last list that a
// server has sent. The latter may be unreachable from here, so they are tried after the former.
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
  void succeeded();
  // The ensemble has these servers now. Invalid addresses, and those after the first `learned_max`,
  // are ignored.
  void learn(const std::vector<std::string>& urls);
  [[nodiscard]] std::size_t size() const { return hosts_.size(); }
  // For the addresses of one name.
  template <typename Range>
  void shuffle(Range& range) {
    std::ranges::shuffle(range, random_);
  }

  static constexpr std::size_t learned_max = 100;

 private:
  struct Host {
    Endpoint endpoint;
    bool is_named = true;  // by the user
    bool failed = false;   // at its last attempt
  };

  std::vector<Host> hosts_;  // the one that was tried last is at the end
  Backoff backoff_;
  std::mt19937_64 random_;
  std::size_t tried_ = 0;  // since the last success
};

}  // namespace zabkeeper
