#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "server/peers/linked_server.h"
#include "wire/bytes.h"
#include "wire/result.h"
#include "zab/credentials.h"
#include "zab/ensemble.h"

// How a connection between two servers begins: each sends a Hello, the server that dialed first,
// and each checks the other's before any message is sent.
namespace server {

// The first frame of a connection, in both directions.
struct Hello {
  static constexpr std::uint32_t magic = 0x5a41424b;  // "ZABK"
  static constexpr std::uint16_t version = 2;

  zab::ServerId from;
  zab::ServerId to;            // the server that the sender expects at the other end
  std::uint64_t ensemble = 0;  // fingerprint() of the sender's configuration
  zab::ClusterId cluster;      // none if the sender does not know that it belongs to one

  bool operator==(const Hello&) const = default;
};

void encode(const Hello& hello, wire::Bytes& out);
[[nodiscard]] wire::Result<Hello> decode_hello(std::string_view bytes);

// A hash of the configured members. Servers with different members would count different quorums,
// so they must not be linked.
[[nodiscard]] std::uint64_t fingerprint(const std::vector<LinkedServer>& servers);

using SocketPtr = std::shared_ptr<boost::asio::ip::tcp::socket>;

// The greeting of the server that dialed: sends `mine`, then receives the other's Hello and checks
// that it comes from `mine.to`. Closes the socket after `timeout`. An error says why the other
// server is refused.
[[nodiscard]] boost::asio::awaitable<wire::Result<Hello>> greet_first(
    SocketPtr socket, Hello mine, std::chrono::milliseconds timeout);

// The greeting of the server that accepted the connection: receives the other's Hello, and answers
// with `mine`, addressed to the sender, if the sender `is_expected` here.
[[nodiscard]] boost::asio::awaitable<wire::Result<Hello>> greet_second(
    SocketPtr socket, Hello mine, std::function<bool(zab::ServerId)> is_expected,
    std::chrono::milliseconds timeout);

}  // namespace server
