#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/config/config.h"
#include "server/metrics/counters.h"
#include "server/peers/peer_message.h"
#include "zab/ensemble.h"

namespace boost::asio {
class io_context;
}

namespace server {

// What happens on the links. Called on the io_context's one thread; between `link_up` and the next
// `link_down` of a server everything received is of one connection.
class LinkHandler {
 public:
  virtual ~LinkHandler() = default;

  // `connection` numbers this connection among all there were.
  virtual void link_up(zab::ServerId server, std::uint64_t connection) = 0;
  virtual void link_down(zab::ServerId server) = 0;
  virtual void received(zab::ServerId from, PeerMessage message) = 0;
  // What was queued for a server has left.
  virtual void link_drained(zab::ServerId server) = 0;
  // The cluster that this server knows it belongs to; none before there is one. A server of another
  // one is not let in.
  [[nodiscard]] virtual zab::ClusterId cluster() const = 0;
};

// One TCP connection to each other server of the ensemble. The server with the greater id dials,
// again and again, resolving the address anew each time; a connection that is silent for too long
// is closed. A slow or dead peer holds up nothing but its own link.
class Links {
 public:
  struct Options {
    zab::ServerId self;
    std::vector<ServerLine> servers;   // this one included
    Milliseconds heartbeat{50};        // how often a quiet link says that it lives
    std::uint32_t silence_heartbeats;  // after how many of them a link is given up
    Milliseconds handshake_deadline{1000};
  };

  Links(boost::asio::io_context& io, Options options, LinkHandler& handler);
  ~Links();
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;

  // Listens and dials. An error says which address cannot be listened on, and why.
  [[nodiscard]] wire::Result<void> start();
  // Closes everything; nothing is called afterwards.
  void stop();

  // Queued, and sent with whatever else is queued by the end of this turn of the event loop. Lost
  // if the link is down, or is another connection than the one named.
  void send(zab::ServerId to, const PeerMessage& message);
  void send(zab::ServerId to, std::uint64_t connection, const PeerMessage& message);
  // Bytes that wait for the link to take them.
  [[nodiscard]] std::size_t queued(zab::ServerId to) const;
  // Of all links to that server since the start.
  [[nodiscard]] LinkCounters counters(zab::ServerId server) const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace server
