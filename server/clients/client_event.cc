#include "server/clients/client_event.h"

#include <utility>

namespace server {

void report(ClientEvent&& event, ClientConnection& connection, ClientHandler& handler) {
  struct Visitor {
    ClientConnection& connection;
    ClientHandler& handler;
    void operator()(wire::ParsedFrame& frame) const {
      handler.received(connection, std::move(frame));
    }
    void operator()(Alive) const { handler.alive(connection); }
    void operator()(Sent sent) const {
      if (sent.paused) handler.sent(connection);
    }
    void operator()(Closed) const { handler.closed(connection); }
  };
  std::visit(Visitor{connection, handler}, event);
}

}  // namespace server
