#pragma once

#include <memory>
#include <optional>
#include <string>

#include "server/budgets/ledger.h"
#include "server/clients/handler.h"
#include "server/clients/http_handlers.h"
#include "server/clients/listener_options.h"
#include "server/metrics/counters.h"

namespace boost::asio {
class io_context;
}

namespace server {

// The web port: HTTP answers, and at /v1 the WebSocket connections of clients. Everything runs on
// `io`, which one thread runs, except that with `io_threads` other threads carry the connections.
// `handler` must live as long as `io` runs. Every ClientConnection must be released
// before `io` is destroyed.
class Listener {
 public:
  Listener(boost::asio::io_context& io, ListenerOptions options, ClientHandler& handler,
           HttpHandlers http_handlers, std::shared_ptr<Ledger> ledger);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Binds and begins to accept. On failure returns why, and what the operator can do.
  [[nodiscard]] std::optional<std::string> start();

  // After `start`: the address, with the port that was bound.
  [[nodiscard]] const wire::Address& bound() const;

  [[nodiscard]] PortCounters counters() const;
  // The limit of WebSocket connections; 0: none.
  [[nodiscard]] std::uint32_t connections_max() const;

  // Accepts no more connections and ends those that are HTTP. WebSocket connections stay until
  // the handler or the client closes them.
  void stop();

 private:
  class Port;
  std::shared_ptr<Port> port_;
};

}  // namespace server
