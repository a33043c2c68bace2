#pragma once

#include <memory>
#include <optional>
#include <string>

#include "server/clients/handler.h"
#include "server/clients/http_handlers.h"
#include "server/clients/limits.h"
#include "server/config/config.h"
#include "server/metrics/counters.h"

namespace boost::asio {
class io_context;
}

namespace server {

// The web port: HTTP answers, and at /v1 the WebSocket connections of clients. Everything happens
// on `io`, which one thread runs, unless the configuration has other threads for the WebSockets.
// `handler` must live as long as `io` runs, and whoever holds a ClientConnection must let go of it
// before `io` is destroyed.
class Listener {
 public:
  Listener(boost::asio::io_context& io, const Config& config, ClientHandler& handler,
           HttpHandlers http_handlers, const ClientLimits& limits = {});
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Binds and begins to accept. Returns why it could not, with what to do about it.
  [[nodiscard]] std::optional<std::string> start();

  // After `start`: the address with the port that was really taken.
  [[nodiscard]] const Address& bound() const;

  [[nodiscard]] PortCounters counters() const;

  // Accepts nobody any more and ends what is still HTTP. WebSocket connections stay until somebody
  // closes them.
  void stop();

 private:
  class Port;
  std::shared_ptr<Port> port_;
};

}  // namespace server
