#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "server/logging/reported_reasons.h"
#include "server/metrics/counters.h"
#include "server/peers/agreement.h"
#include "server/peers/greeting.h"
#include "server/peers/handshake.h"
#include "server/peers/handshake_places.h"
#include "server/peers/linked_server.h"
#include "server/peers/names.h"
#include "server/peers/peer_program.h"
#include "wire/forms.h"

namespace server {

// Makes the connections between this server and the others: listens for servers with greater ids,
// and dials those with lesser ids, again after each loss. Resolves an address anew each time.
class Connector : public std::enable_shared_from_this<Connector> {
 public:
  struct Options {
    zab::ServerId self;
    std::vector<LinkedServer> servers;  // this one included
    std::chrono::milliseconds handshake_timeout{1000};
    wire::LevelRange levels = wire::known_levels;  // at which this program can run
    std::string program = "zabkeeper";             // with its version, see Greeting::program
    std::uint64_t instance = 0;                    // of this process, see Greeting::instance
    bool listen_on_all = false;                    // see Links::Options
  };
  struct Callbacks {
    // A connection, after the greetings. Returns once the connection is lost.
    std::function<boost::asio::awaitable<void>(boost::asio::ip::tcp::socket, Agreed other)>
        connected;
    // The reason why a connection from `address` with that server is refused, as a sentence;
    // nothing if it is not refused.
    std::function<std::optional<std::string>(const Greeting& from, const std::string& address)>
        refuses;
    // The cluster that this server knows it belongs to; none before there is one.
    std::function<zab::ClusterId()> cluster;
    // See Links::Callbacks.
    std::function<wire::Level()> level;
  };

  Connector(boost::asio::io_context& io, Options options, Callbacks callbacks);

  // Listens and dials. An error says which address cannot be listened on, and why.
  [[nodiscard]] wire::Result<void> start();
  // Makes no more connections; nothing is called afterwards.
  void stop();
  [[nodiscard]] const PeerPortCounters& counters() const { return counters_; }

 private:
  [[nodiscard]] const LinkedServer* line(zab::ServerId id) const;
  [[nodiscard]] wire::Result<void> listen();
  boost::asio::awaitable<void> accept_loop(std::size_t acceptor);
  // Begins the handshake over an accepted connection, or closes it if there is no place for it.
  void admit(boost::asio::ip::tcp::socket accepted);
  boost::asio::awaitable<void> accept(HandshakePlaces::Number number, SocketPtr socket,
                                      boost::asio::ip::address from);
  // Finds out from which addresses other servers dial this one: those of their lines, and those
  // from which they were linked last.
  void begin_to_expect();
  boost::asio::awaitable<void> resolve_expected();
  void expect();
  boost::asio::awaitable<void> dial_loop(LinkedServer peer);
  // `first`: the address of the peer to begin with.
  boost::asio::awaitable<HandshakeResult> dial(SocketPtr socket, LinkedServer peer,
                                               std::size_t first, GreetingForm form);
  [[nodiscard]] OwnPart own_part(std::function<bool(zab::ServerId)> is_expected) const;
  [[nodiscard]] Greeting greeting(zab::ServerId to) const;
  void report_failed_dial(zab::ServerId peer, GreetingForm form, const NotAgreed& failure);
  // Logs why there is no link: at once if the reason is new, and later with a count.
  void report(zab::ServerId peer, const std::string& reason);
  void report_accepted(const boost::asio::ip::address& from, const std::string& reason);

  boost::asio::io_context& io_;
  Options options_;
  Callbacks callbacks_;
  std::vector<boost::asio::ip::tcp::acceptor> acceptors_;
  Names names_;
  std::uint64_t ensemble_;
  ReportedReasons reported_dials_;
  ReportedReasons reported_servers_;    // of connections from addresses of configured servers
  ReportedReasons reported_strangers_;  // of connections from other addresses
  HandshakePlaces places_;
  std::map<HandshakePlaces::Number, SocketPtr> greeting_;  // accepted connections with a place
  using Addresses = std::vector<boost::asio::ip::address>;
  std::map<zab::ServerId, Addresses> resolved_;                    // of the servers that dial
  std::map<zab::ServerId, boost::asio::ip::address> linked_from_;  // from where they did last
  std::chrono::steady_clock::time_point not_resolved_before_;
  bool is_resolving_ = false;
  PeerPortCounters counters_;
  bool stopped_ = false;
};

}  // namespace server
