#pragma once

#include <chrono>
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
  std::chrono::milliseconds attempt{1'500};   // from resolving a name to the session's greeting
  std::chrono::milliseconds give_up{10'000};  // how long requests wait for a server
  Hosts::Backoff backoff;
};

// Carries a conversation over WebSockets: finds a server, carries frames, notices silence, finds
// the next server. All of it on the one thread that runs the io_context.
class Transport {
 public:
  // `perform` is given what is not the transport's own to do: completions and events.
  using Perform = std::function<void(Action&&)>;

  Transport(boost::asio::io_context& io, Conversation& conversation, Hosts hosts,
            TransportOptions options, Perform perform);
  ~Transport();

  // Tries servers until the conversation has ended or `stop` is called.
  void start();
  void stop();
  // Carries out what a step of the conversation asks for.
  void carry_out(Actions actions);

 private:
  struct Socket;

  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> resolve(std::shared_ptr<Socket> socket, Endpoint endpoint);
  boost::asio::awaitable<void> serve(std::shared_ptr<Socket> socket, Endpoint endpoint);
  boost::asio::awaitable<void> write(std::shared_ptr<Socket> socket);
  boost::asio::awaitable<void> watch_silence(std::shared_ptr<Socket> socket);
  boost::asio::awaitable<void> sleep(std::chrono::milliseconds duration);

  boost::asio::io_context& io_;
  Conversation& conversation_;
  Hosts hosts_;
  TransportOptions options_;
  Perform perform_;
  std::shared_ptr<Socket> socket_;  // null between sockets
  boost::asio::steady_timer pause_;
  std::chrono::steady_clock::time_point offline_since_;
  bool stopped_ = false;
};

}  // namespace zabkeeper
