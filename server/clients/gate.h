#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/clients/answer.h"
#include "server/clients/listener_options.h"
#include "wire/frames.h"

namespace server {

// The parts of a request's header on which its admission depends. Each member has every line of
// that name. If there are two, a proxy and this server might use different ones, which can help an
// attacker.
struct RequestHead {
  std::string_view method;
  std::string_view target;
  unsigned http_version = 11;
  std::vector<std::string_view> hosts = {};
  std::vector<std::string_view> origins = {};
  std::vector<std::string_view> upgrades = {};
  std::vector<std::string_view> connections = {};
  std::vector<std::string_view> keys = {};          // Sec-WebSocket-Key
  std::vector<std::string_view> versions = {};      // Sec-WebSocket-Version
  std::vector<std::string_view> subprotocols = {};  // Sec-WebSocket-Protocol
  std::vector<std::string_view> authorizations = {};
  std::vector<std::string_view> forwarded = {};  // Forwarded, X-Forwarded-For, Via
};

struct Subprotocol {
  std::string_view name;
  wire::Format format;
};
// The first is the default for a client that names none.
inline constexpr std::array subprotocols{Subprotocol{"zabkeeper.v1+json", wire::Format::json},
                                         Subprotocol{"zabkeeper.v1+cbor", wire::Format::cbor}};

// Decides which requests are admitted. A web page that a user merely looks at can make the user's
// browser connect to this server. The Origin header names the page's site. If the site lets its own
// name resolve to this server's address (DNS rebinding), the Host header has that name.
class Gate {
 public:
  explicit Gate(GateRules rules);

  // The answer that refuses this request; nothing if it is admitted.
  [[nodiscard]] std::optional<Answer> refuses(const RequestHead& request) const;

  // The answer that refuses this request to /v1; nothing if it can become a WebSocket connection.
  [[nodiscard]] std::optional<Answer> refuses_upgrade(const RequestHead& request) const;

  // The answer that refuses this request to /admin/; nothing if it is admitted. Commands are
  // accepted from this machine, and from anywhere with the super identity. They are never accepted
  // from a web page of another origin, whatever allowedOrigins and allowedHosts say. `remote` is
  // the address that the connection comes from.
  [[nodiscard]] std::optional<Answer> refuses_command(const RequestHead& request,
                                                      std::string_view remote) const;

  // The first of the subprotocols that a request offers which this server knows, or null.
  [[nodiscard]] static const Subprotocol* subprotocol_of(const RequestHead& request);

 private:
  [[nodiscard]] bool knows_host(std::string_view host) const;
  [[nodiscard]] bool knows_by_name(std::string_view host) const;
  [[nodiscard]] bool shows_super(const RequestHead& request) const;
  [[nodiscard]] bool knows_origin(std::string_view origin, std::string_view host) const;

  GateRules rules_;  // in lower case
};

}  // namespace server
