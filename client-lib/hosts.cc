#include "client-lib/hosts.h"

#include <algorithm>
#include <utility>

namespace zabkeeper {
namespace {

constexpr std::uint16_t default_port = 2180;

wire::Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return wire::Error{wire::ErrorCode::bad_arguments,
                       "server \"" + std::string(text) + "\" " + std::string(why)};
  };
  const bool has_scheme = text.find("://") != text.npos;
  auto url = wire::parse_url(has_scheme ? std::string(text) : "ws://" + std::string(text));
  if (!url) return bad(url.error().message);
  if (url->scheme == "wss") return bad("needs TLS, which is not supported");
  if (url->scheme != "ws") return bad("begins with neither ws:// nor a host");

  Endpoint endpoint{std::move(url->address)};
  if (endpoint.address.port == 0) endpoint.address.port = default_port;
  if (url->target.size() > 1) endpoint.target = url->target;
  return endpoint;
}

}  // namespace

std::string Endpoint::url() const { return "ws://" + to_string(address); }

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
