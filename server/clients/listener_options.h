#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/clients/limits.h"
#include "wire/address.h"

namespace server {

// Which requests the gate admits.
struct GateRules {
  std::vector<std::string> hosts;    // names of this server, without ports; "*": any
  std::vector<std::string> origins;  // of web pages that may connect; "*": any
  std::string super_digest;          // "user:hash" of the super identity; empty: there is none
};

// The options of the ports for clients, for Listener.
struct ListenerOptions {
  wire::Address web{"127.0.0.1", 0};          // where to listen; port 0: any free one
  wire::Address client{"0.0.0.0", 0};         // and there; port 0: nowhere else
  std::uint32_t connections_max = 0;          // of all addresses; 0: no limit
  std::uint32_t connections_per_address = 0;  // 0: no limit
  std::uint32_t kept_places = 64;             // for HTTP pages beyond these limits
  std::uint32_t io_threads = 0;               // that carry connections; 0: the event loop does
  GateRules gate = {};
  ClientLimits limits = {};
};

}  // namespace server
