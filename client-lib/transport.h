#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "client-lib/conversation.h"
#include "client-lib/hosts.h"

namespace zabkeeper {

struct TransportOptions {
  // For one attempt with one server, from resolving its name until it has accepted the session.
  std::chrono::milliseconds attempt_timeout{1'500};
  // How long requests wait for a server.
  std::chrono::milliseconds offline_timeout{10'000};
  Hosts::Backoff backoff;
};

// Connects a conversation to servers over WebSockets: finds a server, sends and receives frames,
// closes a connection on which nothing is received any more, and finds the next server. Runs on the
// one thread that runs the io_context.
class Transport {
 public:
  // Called with the actions that do not concern the socket: completions and events.
  using Perform = std::function<void(Action&&)>;

  Transport(boost::asio::io_context& io, Conversation& conversation, Hosts hosts,
            TransportOptions options, Perform perform);
  ~Transport();

  // Tries servers until the conversation has ended or `stop` is called.
  void start();
  void stop();
  // Carries out the actions that a step of the conversation returned.
  void carry_out(Actions actions);

 private:
  struct Socket;

  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> resolve(std::shared_ptr<Socket> socket, Endpoint endpoint);
  boost::asio::awaitable<void> serve(std::shared_ptr<Socket> socket, Endpoint endpoint);
  boost::asio::awaitable<bool> open(std::shared_ptr<Socket> socket, const Endpoint& endpoint);
  boost::asio::awaitable<void> read(std::shared_ptr<Socket> socket);
  boost::asio::awaitable<void> write(std::shared_ptr<Socket> socket);
  boost::asio::awaitable<void> watch_timeouts(std::shared_ptr<Socket> socket);
  boost::asio::awaitable<void> sleep(std::chrono::milliseconds duration);

  boost::asio::io_context& io_;
  Conversation& conversation_;
  Hosts hosts_;
  TransportOptions options_;
  Perform perform_;
  std::shared_ptr<Socket> socket_;  // null between sockets
  boost::asio::steady_timer pause_;
  std::chrono::steady_clock::time_point offline_since_;
  std::size_t declined_ = 0;  // attempts in a row whose handshake the server will always decline
  bool stopped_ = false;
};

}  // namespace zabkeeper
