#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "server/clients/handler.h"
#include "server/clients/limits.h"
#include "server/clients/stream.h"
#include "server/metrics/counters.h"
#include "wire/frames.h"

namespace server {

class Connection;

// What all connections of a port use.
struct Shared {
  ClientLimits limits;
  ConnectionCounters counters = {};
  std::array<char, 16 * 1024> read_buffer = {};
  std::string write_buffer = {};
  std::deque<std::weak_ptr<Connection>> writers = {};  // have something to write, in their turn
  bool writers_go_on = false;                          // the event loop will see to them
};

// A client whose upgrade was accepted.
struct Accepted {
  Stream stream;
  wire::Format format;  // of the messages, by the subprotocol
  std::string remote_address;
  // Given up once the client is gone; until then it keeps what else the connection uses.
  std::shared_ptr<void> place;
};

// What else there is to a connection for whoever stands between it and its handler.
class ServedConnection : public ClientConnection {
 public:
  // As `say`, of a message that is written in the connection's format.
  virtual void send_encoded(std::string_view message) = 0;
  // More waits for the client than it may let wait: it is disconnected.
  virtual void close_as_too_slow() = 0;
};

// Serves it until it is gone and `handler` knows. What it returns nobody need keep.
std::shared_ptr<ServedConnection> serve(Accepted client, ClientHandler& handler, Shared& shared);

}  // namespace server
