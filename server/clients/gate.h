#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/clients/answer.h"
#include "server/config/config.h"
#include "wire/frames.h"

namespace server {

// What a request says about itself, as far as it decides who may come in. Every line of a header
// counts: two of the same name are an attempt to be read differently by different readers.
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
// The first is what a client gets that names none.
inline constexpr std::array subprotocols{Subprotocol{"zabkeeper.v1+json", wire::Format::json},
                                         Subprotocol{"zabkeeper.v1+cbor", wire::Format::cbor}};

// Who may come in. A web page that a user merely looks at can make the user's browser connect to
// this server: its Origin tells on it, and if it lets its own name point here (DNS rebinding), its
// Host does.
class Gate {
 public:
  explicit Gate(const Config& config);

  // Why this request is not for this server, if it is not.
  [[nodiscard]] std::optional<Answer> refuses(const RequestHead& request) const;

  // For a request to /v1: why it cannot become a WebSocket connection, if it cannot.
  [[nodiscard]] std::optional<Answer> refuses_upgrade(const RequestHead& request) const;

  // For a request to /admin/: why nobody does what it asks, if nobody does. AdminCommands are taken
  // from this machine, or from whoever shows the super identity; never from a web page of another
  // origin, whatever allowedOrigins and allowedHosts let in otherwise. `remote` is the address that
  // the connection comes from.
  [[nodiscard]] std::optional<Answer> refuses_command(const RequestHead& request,
                                                      std::string_view remote) const;

  // Of those that a request names, the first that is known here; null where it names none.
  [[nodiscard]] static const Subprotocol* subprotocol_of(const RequestHead& request);

 private:
  [[nodiscard]] bool knows_host(std::string_view host) const;
  [[nodiscard]] bool knows_by_name(std::string_view host) const;
  [[nodiscard]] bool shows_super(const RequestHead& request) const;
  [[nodiscard]] bool knows_origin(std::string_view origin, std::string_view host) const;

  std::vector<std::string> hosts_;    // in lower case, without ports
  std::vector<std::string> origins_;  // in lower case
  std::string super_digest_;
};

}  // namespace server
