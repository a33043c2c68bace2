#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "wire/close_reasons.h"
#include "wire/json.h"
#include "wire/replies.h"

// The interfaces between a client's connection, which knows sockets and frames, and the pipeline,
// which knows sessions. Every call is made on the event loop's thread, wherever the socket is
// served.
namespace server {

// RFC 6455, section 7.4.1.
enum class CloseCode : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  invalid_payload = 1007,
  policy_violation = 1008,
  too_big = 1009,
};

// The outcome of an offer of a message to a connection.
enum class Offer : std::uint8_t {
  queued,
  no_room,    // the budgets have no room for it now
  too_large,  // it alone is more than may wait for one client
};

// A client's connection as the pipeline sees it. No call blocks, or calls the pipeline before it
// returns. Calls after `close`, or after the client is gone, have no effect.
class ClientConnection {
 public:
  virtual ~ClientConnection() = default;

  // Queues a message. Messages leave in this order; those that are queued together leave together.
  // If too much waits for the client, it is disconnected.
  virtual void send(const wire::ServerMessage& message) = 0;
  // The same, but only if the budgets have room for the message.
  [[nodiscard]] virtual Offer offer(const wire::ServerMessage& message) {
    send(message);
    return Offer::queued;
  }
  // Whether `bytes` more bytes may wait for this client.
  [[nodiscard]] virtual bool has_room(std::size_t bytes) const {
    static_cast<void>(bytes);
    return true;
  }
  // From now on several messages may share a frame (`"batch": true`).
  virtual void allow_batches() = 0;
  // Closes the connection once what is queued has been sent.
  virtual void close(CloseCode code, std::string reason) = 0;

  // Closes the connection at once: what is queued is dropped, and its memory freed.
  virtual void close_as_too_slow() {
    close(CloseCode::policy_violation, std::string(wire::close_reason::too_slow));
  }

  // Backpressure: stop reading from the client, and start again.
  virtual void pause() = 0;
  virtual void resume() = 0;

  // Sends a WebSocket ping at this interval. Every pong is reported as `alive`.
  virtual void ping_every(std::chrono::milliseconds interval) = 0;

  // Bytes that have not been sent to the client yet.
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;
  [[nodiscard]] virtual std::string remote_address() const = 0;
};

// Receives what connections report. `opened` comes first; `closed` comes last and once, whichever
// side closed the connection.
class ClientHandler {
 public:
  virtual ~ClientHandler() = default;

  virtual void opened(const std::shared_ptr<ClientConnection>& connection) = 0;
  // One message, parsed.
  virtual void received(ClientConnection& connection, wire::ParsedFrame frame) = 0;
  // A ping or pong shows that the client is alive.
  virtual void alive(ClientConnection& connection) = 0;
  virtual void closed(ClientConnection& connection) = 0;
  // A paused connection has sent some of its queued bytes.
  virtual void sent(ClientConnection& connection) { static_cast<void>(connection); }
};

}  // namespace server
