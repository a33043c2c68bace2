#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/metrics/counters.h"
#include "server/peers/linked_server.h"
#include "server/peers/peer_message.h"
#include "server/peers/peer_program.h"
#include "wire/forms.h"
#include "zab/ensemble.h"

namespace boost::asio {
class io_context;
}

namespace server {

// One TCP connection to each other server of the ensemble. The server with the greater id dials,
// and dials again after each loss, resolving the address anew each time. A connection that is
// silent for too long is closed. A slow or dead server delays nothing but its own link.
class Links {
 public:
  struct Options {
    zab::ServerId self;
    std::vector<LinkedServer> servers;        // this one included
    std::chrono::milliseconds heartbeat{50};  // an idle link sends a KeepAlive at this interval
    std::uint32_t silence_heartbeats;         // a link that is silent for more is closed
    std::chrono::milliseconds handshake_timeout{1000};
    wire::LevelRange levels = wire::known_levels;  // at which this program can run
    std::string program = "zabkeeper";             // with its version, see Greeting::program
    std::uint64_t instance = 0;                    // of this process, see Greeting::instance
    bool listen_on_all = false;  // on all addresses of the machine, not only those of the own line
    // A link is closed if more bytes than this wait for it; its server synchronizes again.
    std::size_t queued_bytes_max = std::size_t{256} << 20;
  };

  // Called on the io_context's one thread. Everything that is received from a server between `up`
  // and the next `down` came over one connection.
  struct Callbacks {
    // `connection`: the number of this connection, counted from the start of the process.
    std::function<void(zab::ServerId server, std::uint64_t connection)> up;
    std::function<void(zab::ServerId server)> down;
    std::function<void(zab::ServerId from, PeerMessage&& message)> received;
    // Everything that was queued for the server has been written to the socket.
    std::function<void(zab::ServerId server)> drained;
    // The cluster that this server knows it belongs to; none before there is one. A server of
    // another cluster is refused.
    std::function<zab::ClusterId()> cluster;
    // The level at which another server's program must be able to run. Others are refused.
    std::function<wire::Level()> level;
  };

  Links(boost::asio::io_context& io, Options options, Callbacks callbacks);
  ~Links();
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;

  // Listens and dials. An error says which address cannot be listened on, and why.
  [[nodiscard]] wire::Result<void> start();
  // Closes everything; nothing is called afterwards.
  void stop();

  // Queues a message. It leaves with everything else that is queued by the end of this turn of the
  // event loop. Lost if the link is down, or is another connection than the one named.
  void send(zab::ServerId to, const PeerMessage& message);
  void send(zab::ServerId to, std::uint64_t connection, const PeerMessage& message);
  // Bytes that are not written to the socket yet.
  [[nodiscard]] std::size_t queued(zab::ServerId to) const;
  // The program at the other end of the link that is up now; nothing if there is none.
  [[nodiscard]] std::optional<PeerProgram> program_of(zab::ServerId server) const;
  // Closes each link whose other end cannot run at Callbacks::level. To be called whenever that has
  // risen; calls `down` before it returns.
  void level_changed();
  // Counts for all links to that server since the start.
  [[nodiscard]] LinkCounters counters(zab::ServerId server) const;
  // Counts of accepted connections since the start.
  [[nodiscard]] PeerPortCounters port_counters() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace server
