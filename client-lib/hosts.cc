#include "client-lib/hosts.h"

#include <algorithm>
#include <cstddef>
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
    : backoff_(backoff), random_(seed) {
  ensure(!endpoints.empty(), "there is a server to try");
  for (Endpoint& endpoint : endpoints) hosts_.push_back({std::move(endpoint)});
  std::ranges::shuffle(hosts_, random_);
}

Hosts::Attempt Hosts::next() {
  auto chosen =
      std::ranges::find_if(hosts_, [](const Host& host) { return host.is_named && !host.failed; });
  if (chosen == hosts_.end()) chosen = std::ranges::find(hosts_, false, &Host::failed);
  if (chosen == hosts_.end()) chosen = hosts_.begin();
  std::rotate(chosen, chosen + 1, hosts_.end());
  Host& host = hosts_.back();
  host.failed = true;  // until `succeeded`
  Attempt attempt{host.endpoint, {}};

  const std::size_t round = tried_++ / hosts_.size();
  if (round == 0) return attempt;
  const auto longest = std::min<std::int64_t>(
      backoff_.longest.count(), backoff_.first.count() << std::min<std::size_t>(round - 1, 20));
  std::uniform_int_distribution<std::int64_t> jitter(longest / 2, longest);
  attempt.wait = std::chrono::milliseconds(jitter(random_));
  return attempt;
}

void Hosts::succeeded() {
  hosts_.back().failed = false;
  tried_ = 0;
}

void Hosts::learn(const std::vector<std::string>& urls) {
  std::vector<Endpoint> learned;
  for (const std::string& url : urls) {
    auto endpoint = parse_endpoint(url);
    if (!endpoint || wire::is_any_address(endpoint->address.host)) continue;
    if (learned.size() < learned_max) learned.push_back(std::move(*endpoint));
  }
  // The one that was tried last stays at the end: it may have sent this list.
  const auto last = hosts_.end() - 1;
  hosts_.erase(std::remove_if(hosts_.begin(), last,
                              [&](const Host& host) {
                                return !host.is_named &&
                                       std::ranges::find(learned, host.endpoint) == learned.end();
                              }),
               last);
  for (Endpoint& endpoint : learned) {
    if (std::ranges::find(hosts_, endpoint, &Host::endpoint) != hosts_.end()) continue;
    std::uniform_int_distribution<std::size_t> places(0, hosts_.size() - 1);
    const auto place = static_cast<std::ptrdiff_t>(places(random_));
    hosts_.insert(hosts_.begin() + place, {std::move(endpoint), /*is_named=*/false});
  }
}

}  // namespace zabkeeper
