#pragma once

#include <cstddef>
#include <variant>

#include "server/clients/handler.h"
#include "wire/frames.h"

namespace server {

// A ping or pong came.
struct Alive {};
// Bytes were written to the stream. Tells how many are still queued.
struct Sent {
  std::size_t queued_bytes = 0;
  bool paused = false;  // the owner has paused the connection
};
// The connection is gone.
struct Closed {};

// An event that a client's connection reports. Closed is the last event, and occurs once.
using ClientEvent = std::variant<wire::ParsedFrame, Alive, Sent, Closed>;

// Passes an event of `connection` on to `handler`.
void report(ClientEvent&& event, ClientConnection& connection, ClientHandler& handler);

}  // namespace server
