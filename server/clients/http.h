#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "server/clients/gate.h"
#include "server/clients/http_handlers.h"
#include "server/clients/limits.h"
#include "server/clients/stream.h"

namespace server {

// A request for a WebSocket that the gate let in.
struct Upgrade {
  std::string key;                           // Sec-WebSocket-Key
  const Subprotocol* subprotocol = nullptr;  // that the answer names, if one was asked for
};

// What became of an HTTP connection: it ended, or it wants to be a WebSocket.
struct HttpOutcome {
  std::optional<Upgrade> upgrade;
};

// One beyond the limits gets one answer: a server that is full must be seen to be.
enum class Capacity : std::uint8_t { available, full };

// Answers HTTP requests until the connection ends or asks for a WebSocket that it can have.
// `remote` is the address of the other end.
[[nodiscard]] boost::asio::awaitable<HttpOutcome> talk_http(HttpStream& stream, std::string remote,
                                                            const Gate& gate,
                                                            const HttpHandlers& handlers,
                                                            Capacity room,
                                                            const ClientLimits& limits);

// Grants it. False if the client did not take the answer.
[[nodiscard]] boost::asio::awaitable<bool> upgrade(HttpStream& stream, const Upgrade& wanted,
                                                   const ClientLimits& limits);

}  // namespace server
