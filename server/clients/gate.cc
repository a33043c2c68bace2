#include "server/clients/gate.h"

#include <algorithm>

#include <boost/asio/ip/host_name.hpp>

#include "server/auth/authenticate.h"
#include "wire/base64.h"

namespace server {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// The elements of a header that is a list, whether in one line or in several.
std::vector<std::string_view> elements(const std::vector<std::string_view>& lines) {
  std::vector<std::string_view> all;
  for (std::string_view line : lines) {
    for (;;) {
      const std::size_t comma = line.find(',');
      if (const auto element = trimmed(line.substr(0, comma)); !element.empty()) {
        all.push_back(element);
      }
      if (comma == line.npos) break;
      line.remove_prefix(comma + 1);
    }
  }
  return all;
}

bool lists(const std::vector<std::string_view>& lines, std::string_view wanted) {
  return std::ranges::any_of(elements(lines), [&](auto word) { return lower(word) == wanted; });
}

bool contains(const std::vector<std::string>& list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

std::string without_dot(std::string host) {
  if (host.ends_with('.')) host.pop_back();
  return host;
}

// The page was served under the name that the request is for.
bool is_own_origin(std::string_view origin, std::string_view host) {
  auto url = wire::parse_url(lower(trimmed(origin)));
  if (!url || !url->target.empty() || (url->scheme != "http" && url->scheme != "https")) {
    return false;
  }
  const std::uint16_t usual_port = url->scheme == "https" ? 443 : 80;
  Address& theirs = url->address;
  auto ours = wire::parse_address(lower(trimmed(host)));
  if (!ours) return false;
  if (theirs.port == 0) theirs.port = usual_port;
  if (ours->port == 0) ours->port = usual_port;
  return theirs == *ours;
}

// "user:password" of `Authorization: digest user:password`, as ZooKeeper's AdminServer has it, or
// of `Authorization: Basic` and that in base64, as every HTTP client has it.
std::optional<std::string> token_of(std::string_view authorization) {
  authorization = trimmed(authorization);
  const std::size_t space = authorization.find(' ');
  if (space == authorization.npos) return std::nullopt;
  const std::string scheme = lower(authorization.substr(0, space));
  const std::string_view rest = trimmed(authorization.substr(space));
  if (scheme == "digest") return std::string(rest);
  if (scheme != "basic") return std::nullopt;
  return wire::from_base64(rest);
}

bool is_key(std::string_view key) {
  const auto bytes = wire::from_base64(key);
  return bytes && bytes->size() == 16;
}

}  // namespace

Gate::Gate(const Config& config) : super_digest_(config.super_digest) {
  hosts_ = {"localhost", lower(config.web.host)};
  for (const ServerLine& line : config.servers) {
    hosts_.push_back(lower(line.peer.host));
    hosts_.push_back(lower(line.web.host));
  }
  for (const std::string& host : config.hosts) hosts_.push_back(lower(host));
  for (const std::string& origin : config.origins) origins_.push_back(lower(origin));
  boost::system::error_code no_name;
  if (std::string own = boost::asio::ip::host_name(no_name); !no_name && !own.empty()) {
    hosts_.push_back(lower(own));
  }
}

bool Gate::knows_host(std::string_view host) const {
  return knows_by_name(host) || (contains(hosts_, "*") && wire::parse_address(trimmed(host)));
}

bool Gate::knows_by_name(std::string_view host) const {
  const auto address = wire::parse_address(trimmed(host));
  if (!address) return false;
  return wire::is_ip_address(address->host) || contains(hosts_, without_dot(lower(address->host)));
}

bool Gate::knows_origin(std::string_view origin, std::string_view host) const {
  const std::string said = lower(trimmed(origin));
  return contains(origins_, "*") || contains(origins_, said) || is_own_origin(origin, host);
}

bool Gate::shows_super(const RequestHead& request) const {
  if (request.authorizations.size() != 1) return false;
  const std::optional<std::string> token = token_of(request.authorizations.front());
  if (!token) return false;
  const auto known = authenticate({"digest", *token}, {}, super_digest_);
  return known && known->is_super();
}

std::optional<Answer> Gate::refuses(const RequestHead& request) const {
  // Only HTTP/1.0, which no browser speaks, may leave it out.
  if (request.hosts.empty() && request.http_version < 11) return std::nullopt;
  if (request.hosts.size() != 1) {
    return error_answer(400, "BadRequest", "a request needs one Host header");
  }
  if (knows_host(request.hosts.front())) return std::nullopt;
  return error_answer(421, "UnknownHost",
                      "this server does not go by the name of " +
                          std::string(request.hosts.front()) +
                          "; if it should, add the name to allowedHosts");
}

std::optional<Answer> Gate::refuses_upgrade(const RequestHead& request) const {
  if (request.method != "GET") {
    Answer refused = error_answer(405, "MethodNotAllowed", "a WebSocket begins with a GET");
    refused.allow = "GET";
    return refused;
  }
  if (request.http_version != 11 || !lists(request.upgrades, "websocket") ||
      !lists(request.connections, "upgrade")) {
    return error_answer(426, "UpgradeRequired", "connect to /v1 with a WebSocket, over HTTP/1.1");
  }
  if (request.versions.size() != 1 || trimmed(request.versions.front()) != "13") {
    return error_answer(426, "UpgradeRequired", "Sec-WebSocket-Version must be 13");
  }
  if (request.keys.size() != 1 || !is_key(trimmed(request.keys.front()))) {
    return error_answer(400, "BadRequest", "Sec-WebSocket-Key must be 16 bytes in base64");
  }

  const std::string_view host = request.hosts.empty() ? "" : request.hosts.front();
  if (request.origins.size() > 1) {
    return error_answer(400, "BadRequest", "a request has one Origin header at most");
  }
  if (!request.origins.empty() && !knows_origin(request.origins.front(), host)) {
    return error_answer(403, "ForeignOrigin",
                        "pages from " + std::string(request.origins.front()) +
                            " may not connect here; if they should, add it to allowedOrigins");
  }

  if (!elements(request.subprotocols).empty() && subprotocol_of(request) == nullptr) {
    return error_answer(400, "UnknownSubprotocol",
                        "none of the offered subprotocols is known here; use " +
                            std::string(subprotocols[0].name) + " or " +
                            std::string(subprotocols[1].name));
  }
  return std::nullopt;
}

std::optional<Answer> Gate::refuses_command(const RequestHead& request,
                                            std::string_view remote) const {
  if (request.method != "POST") {
    Answer refused = error_answer(405, "MethodNotAllowed", "a command is given with POST");
    refused.allow = "POST";
    return refused;
  }
  const std::string_view host = request.hosts.empty() ? "" : request.hosts.front();
  if (request.origins.size() > 1 ||
      (!request.origins.empty() && !is_own_origin(request.origins.front(), host))) {
    return error_answer(403, "ForeignOrigin", "web pages of other origins may give no commands");
  }
  if (shows_super(request)) return std::nullopt;
  if (!request.authorizations.empty()) {
    return error_answer(403, "NoAuth", "this is not the super identity that superDigest names");
  }
  // What a proxy on this machine passes on may come from anywhere.
  const bool is_named = request.hosts.empty() || knows_by_name(host);
  if (wire::is_loopback(remote) && request.forwarded.empty() && is_named) return std::nullopt;
  return error_answer(403, "NoAuth",
                      "commands are taken from the server's own machine, or with the super "
                      "identity: Authorization: digest user:password, of superDigest");
}

const Subprotocol* Gate::subprotocol_of(const RequestHead& request) {
  for (const std::string_view offered : elements(request.subprotocols)) {
    const auto* known = std::ranges::find(subprotocols, offered, &Subprotocol::name);
    if (known != subprotocols.end()) return known;
  }
  return nullptr;
}

}  // namespace server
