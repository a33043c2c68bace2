#include "server/clients/gate.h"

#include <algorithm>
#include <utility>

#include <boost/beast/http/rfc7230.hpp>

#include "server/auth/authenticate.h"
#include "server/clients/http_syntax.h"
#include "wire/address.h"
#include "wire/base64.h"

namespace server {
namespace {

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

boost::beast::http::token_list tokens(std::string_view line) {
  return boost::beast::http::token_list({line.data(), line.size()});
}

// Whether a header that is a list of tokens, in one line or several, has `token` in any case.
bool lists(const std::vector<std::string_view>& lines, const char* token) {
  return std::ranges::any_of(lines, [&](auto line) { return tokens(line).exists(token); });
}

bool contains(const std::vector<std::string>& list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

std::string without_dot(std::string host) {
  if (host.ends_with('.')) host.pop_back();
  return host;
}

// Whether the page came from the host that the request names.
bool is_own_origin(std::string_view origin, std::string_view host) {
  auto url = wire::parse_url(lower_case(trimmed_header(origin)));
  if (!url || !url->target.empty() || (url->scheme != "http" && url->scheme != "https")) {
    return false;
  }
  const std::uint16_t usual_port = url->scheme == "https" ? 443 : 80;
  wire::Address& theirs = url->address;
  auto ours = wire::parse_address(lower_case(trimmed_header(host)));
  if (!ours) return false;
  if (theirs.port == 0) theirs.port = usual_port;
  if (ours->port == 0) ours->port = usual_port;
  return theirs == *ours;
}

// "user:password" from `Authorization: digest user:password`, as ZooKeeper's AdminServer reads it,
// or from `Authorization: Basic` with that in base64, as every HTTP client sends it.
std::optional<std::string> token_of(std::string_view authorization) {
  authorization = trimmed_header(authorization);
  const std::size_t space = authorization.find(' ');
  if (space == authorization.npos) return std::nullopt;
  const std::string scheme = lower_case(authorization.substr(0, space));
  const std::string_view rest = trimmed_header(authorization.substr(space));
  if (scheme == "digest") return std::string(rest);
  if (scheme != "basic") return std::nullopt;
  return wire::from_base64(rest);
}

bool is_key(std::string_view key) {
  const auto bytes = wire::from_base64(key);
  return bytes && bytes->size() == 16;
}

}  // namespace

Gate::Gate(GateRules rules) : rules_(std::move(rules)) {
  for (std::string& host : rules_.hosts) host = lower_case(host);
  for (std::string& origin : rules_.origins) origin = lower_case(origin);
}

bool Gate::knows_host(std::string_view host) const {
  return knows_by_name(host) ||
         (contains(rules_.hosts, "*") && wire::parse_address(trimmed_header(host)));
}

bool Gate::knows_by_name(std::string_view host) const {
  const auto address = wire::parse_address(trimmed_header(host));
  if (!address) return false;
  return wire::is_ip_address(address->host) ||
         contains(rules_.hosts, without_dot(lower_case(address->host)));
}

bool Gate::knows_origin(std::string_view origin, std::string_view host) const {
  return contains(rules_.origins, "*") ||
         contains(rules_.origins, lower_case(trimmed_header(origin))) ||
         is_own_origin(origin, host);
}

bool Gate::shows_super(const RequestHead& request) const {
  if (request.authorizations.size() != 1) return false;
  const std::optional<std::string> token = token_of(request.authorizations.front());
  if (!token) return false;
  const auto known = authenticate({"digest", *token}, {}, rules_.super_digest);
  return known && known->is_super();
}

std::optional<Answer> Gate::refuses(const RequestHead& request) const {
  // Only an HTTP/1.0 request may omit the Host header. No browser sends HTTP/1.0.
  if (request.hosts.empty() && request.http_version < 11) return std::nullopt;
  if (request.hosts.size() != 1) {
    return error_answer(400, "BadRequest", "a request needs exactly one Host header");
  }
  if (knows_host(request.hosts.front())) return std::nullopt;
  return error_answer(421, "UnknownHost",
                      "unknown Host header: " + std::string(request.hosts.front()) +
                          "; if it names this server, add it to allowedHosts");
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
  if (request.versions.size() != 1 || trimmed_header(request.versions.front()) != "13") {
    return error_answer(426, "UpgradeRequired", "Sec-WebSocket-Version must be 13");
  }
  if (request.keys.size() != 1 || !is_key(trimmed_header(request.keys.front()))) {
    return error_answer(400, "BadRequest", "Sec-WebSocket-Key must be 16 bytes in base64");
  }

  const std::string_view host = request.hosts.empty() ? "" : request.hosts.front();
  if (request.origins.size() > 1) {
    return error_answer(400, "BadRequest", "a request has at most one Origin header");
  }
  if (!request.origins.empty() && !knows_origin(request.origins.front(), host)) {
    return error_answer(403, "ForeignOrigin",
                        "pages from " + std::string(request.origins.front()) +
                            " may not connect to this server; to allow it, add the origin to "
                            "allowedOrigins");
  }

  if (!request.subprotocols.empty() && subprotocol_of(request) == nullptr) {
    return error_answer(400, "UnknownSubprotocol",
                        "this server knows none of the offered subprotocols; use " +
                            std::string(subprotocols[0].name) + " or " +
                            std::string(subprotocols[1].name));
  }
  return std::nullopt;
}

std::optional<Answer> Gate::refuses_command(const RequestHead& request,
                                            std::string_view remote) const {
  if (request.method != "POST") {
    Answer refused = error_answer(405, "MethodNotAllowed", "send a command with POST");
    refused.allow = "POST";
    return refused;
  }
  const std::string_view host = request.hosts.empty() ? "" : request.hosts.front();
  if (request.origins.size() > 1 ||
      (!request.origins.empty() && !is_own_origin(request.origins.front(), host))) {
    return error_answer(403, "ForeignOrigin",
                        "commands from web pages of other origins are refused");
  }
  if (shows_super(request)) return std::nullopt;
  if (!request.authorizations.empty()) {
    return error_answer(403, "NoAuth", "this is not the super identity that superDigest names");
  }
  // A request that a proxy on this machine forwards may come from any machine.
  const bool is_named = request.hosts.empty() || knows_by_name(host);
  if (wire::is_loopback(remote) && request.forwarded.empty() && is_named) return std::nullopt;
  return error_answer(403, "NoAuth",
                      "commands are accepted from the server's own machine, or with the super "
                      "identity of superDigest: Authorization: digest user:password");
}

const Subprotocol* Gate::subprotocol_of(const RequestHead& request) {
  for (const std::string_view line : request.subprotocols) {
    for (const auto token : tokens(line)) {
      const std::string_view offered(token.data(), token.size());
      const auto* known = std::ranges::find(subprotocols, offered, &Subprotocol::name);
      if (known != subprotocols.end()) return known;
    }
  }
  return nullptr;
}

}  // namespace server
