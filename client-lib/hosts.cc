#include "client-lib/hosts.h"

#include <algorithm>
#include <utility>

namespace zabkeeper {
namespace {

constexpr std::string_view default_port = "2180";

wire::Error bad(std::string_view text, std::string_view why) {
  return {wire::ErrorCode::bad_arguments,
          "server \"" + std::string(text) + "\": " + std::string(why)};
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         text.find_first_not_of("0123456789") == std::string_view::npos &&
         std::stoul(std::string(text)) <= 65535;
}

wire::Result<Endpoint> parse_endpoint(const std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with("wss://")) return bad(text, "TLS (wss://) is not supported");
  if (rest.starts_with("ws://")) {
    rest.remove_prefix(5);
  } else if (rest.find("://") != std::string_view::npos) {
    return bad(text, "begins with neither ws:// nor a host");
  }

  Endpoint endpoint{{}, std::string(default_port), "/v1"};
  if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos) {
    if (rest.size() > slash + 1) endpoint.target = rest.substr(slash);
    rest = rest.substr(0, slash);
  }
  const std::size_t bracket = rest.starts_with('[') ? rest.find(']') : 0;
  if (bracket == std::string_view::npos) return bad(text, "has a [ without its ]");
  const std::size_t colon = rest.find(':', bracket);
  if (colon != std::string_view::npos) {
    endpoint.port = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  if (bracket > 0) {
    if (bracket + 1 != rest.size()) return bad(text, "has something between ] and the port");
    rest = rest.substr(1, bracket - 1);
  }
  endpoint.host = rest;
  if (endpoint.host.empty()) return bad(text, "names no host");
  if (!is_port(endpoint.port)) return bad(text, "has no valid port");
  return endpoint;
}

}  // namespace

std::string Endpoint::url() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return "ws://" + (ipv6 ? '[' + host + ']' : host) + ':' + port;
}

wire::Result<std::vector<Endpoint>> parse_endpoints(std::string_view text) {
  std::vector<Endpoint> endpoints;
  for (;;) {
    const std::size_t comma = text.find(',');
    std::string_view item = text.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    auto endpoint = parse_endpoint(item);
    if (endpoint.has_error()) return endpoint.error();
    endpoints.push_back(std::move(*endpoint));
    if (comma == std::string_view::npos) return endpoints;
    text.remove_prefix(comma + 1);
  }
}

Hosts::Hosts(std::vector<Endpoint> endpoints, Backoff backoff, std::uint64_t seed)
    : endpoints_(std::move(endpoints)), backoff_(backoff), random_(seed) {
  ensure(!endpoints_.empty(), "there is a server to try");
  std::ranges::shuffle(endpoints_, random_);
}

Hosts::Attempt Hosts::next() {
  Attempt attempt{endpoints_[at_], {}};
  at_ = (at_ + 1) % endpoints_.size();

  const std::size_t round = tried_++ / endpoints_.size();
  if (round == 0) return attempt;
  const auto longest = std::min<std::int64_t>(
      backoff_.longest.count(), backoff_.first.count() << std::min<std::size_t>(round - 1, 20));
  std::uniform_int_distribution<std::int64_t> jitter(longest / 2, longest);
  attempt.wait = std::chrono::milliseconds(jitter(random_));
  return attempt;
}

}  // namespace zabkeeper
