#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "server/peers/handshake.h"
#include "server/peers/linked_server.h"
#include "server/peers/names.h"
#include "wire/result.h"

namespace boost::asio {
class io_context;
}

// The addresses of a server's line. The server listens on all of them, and the servers that dial it
// try all of them. A line may have several ("a|b"), and a name may resolve to several.
namespace server {

struct Listening {
  std::vector<boost::asio::ip::tcp::acceptor> acceptors;  // at least one
  std::vector<std::string> warnings;  // what the operator should know, a sentence each
};

// Listens on every address of this server's own line that the machine has; with `on_all`, on all
// addresses of the machine. An error says which address cannot be listened on, and why.
[[nodiscard]] wire::Result<Listening> listen_for_servers(boost::asio::io_context& io,
                                                         const std::vector<LinkedServer>& servers,
                                                         const LinkedServer& self, bool on_all);

// A warning for the operator if this server listens on loopback addresses only, while another one
// seems to be on another machine: on its own machine a name may resolve to a loopback address.
// Nothing if no warning is needed.
[[nodiscard]] std::optional<std::string> loopback_warning(
    const std::vector<LinkedServer>& servers, const LinkedServer& self,
    const std::vector<boost::asio::ip::address>& listening);

// Resolves the server's addresses, and connects to one of them. `first` says with which address to
// begin; each one gets its share of the time, so that one that does not answer does not hide the
// others. Returns why none can be reached; nothing once the socket is connected. Takes up to
// `timeout` to resolve each address, and as long to connect.
[[nodiscard]] boost::asio::awaitable<std::optional<NotAgreed>> connect_to(
    SocketPtr socket, Names& names, const LinkedServer& peer, std::size_t first,
    std::chrono::milliseconds timeout);

}  // namespace server
