#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "server/budgets/ledger.h"
#include "server/clients/gate.h"
#include "server/clients/http_handlers.h"
#include "server/clients/limits.h"
#include "server/clients/stream.h"

namespace server {

// A request for a WebSocket that the gate admitted.
struct Upgrade {
  std::string key;                           // Sec-WebSocket-Key
  const Subprotocol* subprotocol = nullptr;  // named in the response; null if none was offered
};

// How an HTTP connection ended: with an upgrade to grant, or without.
struct HttpOutcome {
  std::optional<Upgrade> upgrade;
  bool is_slow = false;  // a request had begun, and its header did not come in time
};

// A connection beyond the limits has one of the places that are kept for pages. It gets one answer,
// and is closed: health checks must still learn that a full server is alive.
enum class Capacity : std::uint8_t { available, full };

// Answers HTTP requests until the connection ends, or asks for a WebSocket that it can have.
// `received` was read from the stream before. `remote` is the address of the other end, and
// `accounts` are charged for what it has here.
[[nodiscard]] boost::asio::awaitable<HttpOutcome> serve_http(
    HttpStream& stream, std::string received, std::string remote,
    std::shared_ptr<AddressAccounts> accounts, const Gate& gate, const HttpHandlers& handlers,
    Capacity capacity, const ClientLimits& limits);

// Reads what the client still sends, at most so many bytes, and then closes. Otherwise the kernel
// would reset the connection, and the client might never see the answer.
[[nodiscard]] boost::asio::awaitable<void> close_gently(HttpStream& stream,
                                                        const ClientLimits& limits,
                                                        std::size_t drained_max = 1024 * 1024);

// Answers an upgrade on a server that has no place for the connection, and closes it.
[[nodiscard]] boost::asio::awaitable<void> refuse_upgrade(HttpStream& stream,
                                                          const ClientLimits& limits);

// Sends the response that grants an upgrade. Returns false if it could not be written.
[[nodiscard]] boost::asio::awaitable<bool> grant_upgrade(HttpStream& stream, const Upgrade& upgrade,
                                                         const ClientLimits& limits);

}  // namespace server
