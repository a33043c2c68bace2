#pragma once

#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "server/clients/handler.h"
#include "server/clients/limits.h"
#include "server/metrics/counters.h"

namespace server {

struct WebSocket;

// Serves a client whose upgrade was accepted: one coroutine reads, one writes what is queued, one
// pings. Returns once the connection is gone and `handler` knows. `counters` outlives it.
[[nodiscard]] boost::asio::awaitable<void> serve(std::unique_ptr<WebSocket> socket,
                                                 ClientHandler& handler, std::string remote_address,
                                                 ClientLimits limits, PortCounters& counters);

}  // namespace server
