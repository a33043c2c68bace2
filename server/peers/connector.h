#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "server/peers/greeting.h"
#include "server/peers/linked_server.h"

namespace server {

// Makes the connections between this server and the others: listens for servers with greater ids,
// and dials those with lesser ids, again after each loss. Resolves an address anew each time.
class Connector : public std::enable_shared_from_this<Connector> {
 public:
  struct Options {
    zab::ServerId self;
    std::vector<LinkedServer> servers;  // this one included
    std::chrono::milliseconds handshake_timeout{1000};
  };
  struct Callbacks {
    // A connection to `server`, after the greetings. Returns once the connection is lost.
    std::function<boost::asio::awaitable<void>(boost::asio::ip::tcp::socket, zab::ServerId server)>
        connected;
    // The cluster that this server knows it belongs to; none before there is one.
    std::function<zab::ClusterId()> cluster;
  };

  Connector(boost::asio::io_context& io, Options options, Callbacks callbacks);

  // Listens and dials. An error says which address cannot be listened on, and why.
  [[nodiscard]] wire::Result<void> start();
  // Makes no more connections; nothing is called afterwards.
  void stop();

 private:
  [[nodiscard]] const LinkedServer* line(zab::ServerId id) const;
  [[nodiscard]] wire::Result<void> listen();
  boost::asio::awaitable<void> accept_loop();
  boost::asio::awaitable<void> accept(boost::asio::ip::tcp::socket accepted);
  boost::asio::awaitable<void> dial_loop(LinkedServer peer);
  boost::asio::awaitable<SocketPtr> dial(LinkedServer peer);
  boost::asio::awaitable<bool> connect(SocketPtr socket, LinkedServer peer,
                                       std::chrono::steady_clock::time_point deadline);
  [[nodiscard]] Hello hello(zab::ServerId to) const;
  // Logs why there is no link with `peer`, once for each new reason.
  void report(zab::ServerId peer, const std::string& reason);

  boost::asio::io_context& io_;
  Options options_;
  Callbacks callbacks_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::uint64_t ensemble_;
  std::map<zab::ServerId, std::string> reported_;  // the last reason for each peer
  std::size_t handshakes_ = 0;                     // of accepted connections, under way
  bool stopped_ = false;
};

}  // namespace server
