#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "server/metrics/counters.h"
#include "server/peers/frame.h"
#include "server/peers/peer_message.h"
#include "server/peers/peer_program.h"

namespace boost::asio {
class io_context;
}

namespace server {

// One connection to another server, after the greetings. Use it only on the io_context's one
// thread.
class Link : public std::enable_shared_from_this<Link> {
 public:
  // None of them is called after `close`.
  struct Callbacks {
    std::function<void(PeerMessage&& message)> received;
    // Everything that was queued has been written to the socket.
    std::function<void()> drained;
    // The connection has failed; `close` has to be called.
    std::function<void(const std::string& reason)> failed;
    // A message has arrived that this program does not know; `close` has to be called.
    std::function<void(const std::string& reason)> unreadable;
    // A message is too large to be sent, and nothing may be sent after it; `close` has to be
    // called.
    std::function<void(const std::string& reason)> unsendable;
  };
  struct Options {
    std::uint64_t number = 0;    // of this connection, counted from the start of the process
    PeerProgram program;         // of the other end
    std::uint64_t instance = 0;  // of the other end: see Greeting
    std::size_t queued_bytes_max = 0;
  };

  // `counters` outlives the open link.
  Link(boost::asio::io_context& io, boost::asio::ip::tcp::socket socket, Options options,
       LinkCounters& counters, Callbacks callbacks);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Receives until the connection is closed.
  [[nodiscard]] boost::asio::awaitable<void> receive();
  // Queues a message. It leaves with everything else that is queued by the end of this turn of the
  // event loop.
  void send(const PeerMessage& message);
  // Sends a KeepAlive if nothing was sent since the last heartbeat. False if more than
  // `silence_heartbeats` heartbeats have passed since something was received.
  [[nodiscard]] bool heartbeat(std::uint32_t silence_heartbeats);
  void close();

  [[nodiscard]] std::uint64_t number() const { return options_.number; }
  [[nodiscard]] const PeerProgram& program() const { return options_.program; }
  [[nodiscard]] std::uint64_t instance() const { return options_.instance; }
  // "address:port" of the other end.
  [[nodiscard]] const std::string& remote() const { return remote_; }
  // Whether something was received within the last heartbeats.
  [[nodiscard]] bool is_alive() const { return silent_heartbeats_ <= alive_heartbeats; }
  // To be called when another process dials with the id of the server at the other end. Returns
  // true if this was called before and the link has received something since: then both run.
  [[nodiscard]] bool is_contested();
  // Bytes that are not written to the socket yet.
  [[nodiscard]] std::size_t queued() const { return queued_.size() + writing_.size(); }

 private:
  static constexpr std::uint32_t alive_heartbeats = 3;

  void queue(const PeerMessage& message);
  void refuse_to_send(std::string_view content);
  void flush();
  void take_frames();
  void fail(const std::string& reason);

  boost::asio::io_context& io_;
  boost::asio::ip::tcp::socket socket_;
  std::string remote_;
  Options options_;
  LinkCounters& counters_;
  Callbacks callbacks_;

  FrameReader reader_;
  wire::Bytes queued_;   // frames that wait
  wire::Bytes writing_;  // frames that are being written
  bool flush_posted_ = false;
  bool closed_ = false;
  enum class Contest : std::uint8_t { none, begun, proved };
  Contest contest_ = Contest::none;
  std::uint32_t silent_heartbeats_ = 0;  // since something was received
  bool idle_ = true;                     // nothing was sent since the last heartbeat
};

}  // namespace server
