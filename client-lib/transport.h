#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "client-lib/conversation.h"
#include "client-lib/hosts.h"

namespace zabkeeper {

struct TransportOptions {
  // For one attempt with one server, from resolving its name until it has accepted the session.
  std::chrono::milliseconds attempt_timeout{1'500};
  // How long requests wait for a server.
  std::chrono::milliseconds offline_timeout{10'000};
  bool follow_servers = true;
};

// Connects a conversation to servers over WebSockets: finds a server, sends and receives frames,
// closes a connection on which nothing is received any more, and finds the next server. Names are
// resolved anew for every attempt, and their addresses are tried in a random order. Used on one
// strand, and runs on it.
class Transport {
 public:
  struct Hooks {
    // Gets the actions that do not concern the socket: completions and events.
    std::function<void(Action&&)> perform;
    // No server was found in time, for this reason. The transport goes on trying.
    std::function<void(const std::string&)> not_found;
    // The session is safe until then; nothing: not known.
    std::function<void(std::optional<Conversation::Time>)> safe_until;
    // An exception that is not an error of a server has ended the transport.
    std::function<void(const std::string&)> failed;
  };

  Transport(boost::asio::any_io_executor strand, Conversation& conversation, Hosts hosts,
            TransportOptions options, Hooks hooks);
  ~Transport();

  // Tries servers until the conversation has ended or `stop` is called. `owner` has this object as
  // a member: the transport keeps it alive until then.
  void start(std::weak_ptr<void> owner);
  void stop();
  // Carries out the actions that a step of the conversation returned.
  void carry_out(Actions actions);

 private:
  struct Socket;

  void spawn(boost::asio::awaitable<void> coroutine);
  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> resolve(std::shared_ptr<Socket> socket, Endpoint endpoint);
  boost::asio::awaitable<void> serve(std::shared_ptr<Socket> socket, Endpoint endpoint);
  boost::asio::awaitable<bool> open(std::shared_ptr<Socket> socket, const Endpoint& endpoint);
  boost::asio::awaitable<void> read(std::shared_ptr<Socket> socket);
  boost::asio::awaitable<void> write(std::shared_ptr<Socket> socket);
  boost::asio::awaitable<void> watch_timeouts(std::shared_ptr<Socket> socket);
  [[nodiscard]] std::chrono::milliseconds until_attempt(std::chrono::milliseconds wait) const;
  boost::asio::awaitable<void> sleep(std::chrono::milliseconds duration);
  // Lets a timer end the session at its deadline.
  void await_deadline();

  boost::asio::any_io_executor strand_;
  Conversation& conversation_;
  Hosts hosts_;
  TransportOptions options_;
  Hooks hooks_;
  std::weak_ptr<void> owner_;
  std::shared_ptr<Socket> socket_;  // null between sockets
  boost::asio::steady_timer pause_;
  boost::asio::steady_timer deadline_timer_;
  std::optional<Conversation::Time> deadline_;  // that deadline_timer_ awaits
  std::chrono::steady_clock::time_point offline_since_;
  std::size_t declined_ = 0;  // attempts in a row whose handshake the server will always decline
  bool stopped_ = false;
};

}  // namespace zabkeeper
