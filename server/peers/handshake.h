#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "server/peers/agreement.h"
#include "server/peers/greeting.h"
#include "server/peers/linked_server.h"
#include "server/peers/peer_program.h"
#include "zab/ensemble.h"

// The greetings at the beginning of a connection, over a socket:
//
//   1. The server that dialed sends its greeting.
//   2. The other one answers with its own, in the same form, or refuses.
//   3. If the greetings have the form `fields`, the server that dialed confirms with a KeepAlive,
//      or refuses the answer. So both ends know the outcome, and why.
//
// The server that refuses sends GreetingRefused, and closes the connection. A program that greets
// in the fixed form does not know GreetingRefused, so it is sent nothing. Use these functions only
// on the io_context's one thread.
namespace server {

using SocketPtr = std::shared_ptr<boost::asio::ip::tcp::socket>;

// This server's part of a handshake.
struct OwnPart {
  std::function<Greeting(zab::ServerId to)> greeting;  // as of now
  std::function<bool(zab::ServerId from)> is_expected;
  // Why another connection with that server is refused now, as a sentence; nothing if it is not.
  // Only the server that accepted the connection calls this, directly before it answers.
  std::function<std::optional<std::string>(const Greeting& from)> refuses;
  std::chrono::milliseconds timeout;  // after which the socket is closed
};

// The server at the other end, once both have agreed.
struct Agreed {
  zab::ServerId server;
  PeerProgram program;
  std::uint64_t instance = 0;  // Greeting::instance
};

// Why there is no link, for people. The socket must not be used any more.
struct NotAgreed {
  std::string reason;
  Dialed dialed = Dialed::answered;
};

using HandshakeResult = std::variant<Agreed, NotAgreed>;

// The handshake of the server that dialed `to`.
[[nodiscard]] boost::asio::awaitable<HandshakeResult> greet_first(SocketPtr socket,
                                                                  zab::ServerId to,
                                                                  GreetingForm form, OwnPart own);

// The handshake of the server that accepted the connection.
[[nodiscard]] boost::asio::awaitable<HandshakeResult> greet_second(SocketPtr socket, OwnPart own);

}  // namespace server
