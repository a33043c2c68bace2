#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "wire/json.h"
#include "wire/replies.h"

// The seam between a client's connection, which knows sockets and frames, and the pipeline, which
// knows sessions. All of it happens on the server's one strand, wherever the socket is.
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

// A client's connection as the pipeline sees it. Nothing here blocks or calls back into the
// pipeline before it returns. What is said after `close`, or after the peer is gone, is dropped.
class ClientConnection {
 public:
  virtual ~ClientConnection() = default;

  // Queued, and sent in this order; what is queued together leaves together.
  virtual void send(const wire::ServerMessage& message) = 0;
  // Events and replies may share frames from now on (`"batch": true`).
  virtual void allow_batches() = 0;
  // Once what is queued is sent.
  virtual void close(CloseCode code, std::string reason) = 0;

  // Stop reading, so that the client feels it, and go on.
  virtual void pause() = 0;
  virtual void resume() = 0;

  // Sends WebSocket pings at this interval; every pong is `Pipeline::heard`.
  virtual void ping_every(std::chrono::milliseconds interval) = 0;

  // Bytes that the client has not taken yet.
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;
  [[nodiscard]] virtual std::string remote_address() const = 0;
};

// What connections tell. `opened` comes first; `closed` comes last, once, whoever closed it.
class ClientHandler {
 public:
  virtual ~ClientHandler() = default;

  virtual void opened(const std::shared_ptr<ClientConnection>& connection) = 0;
  // One frame, taken apart.
  virtual void received(ClientConnection& connection, wire::ParsedFrame frame) = 0;
  // A pong, or anything else that shows the client to be alive.
  virtual void alive(ClientConnection& connection) = 0;
  // Something that was queued has left.
  virtual void sent(ClientConnection& /*connection*/) {}
  virtual void closed(ClientConnection& connection) = 0;
};

}  // namespace server
