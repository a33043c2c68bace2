#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include <boost/asio/ip/address.hpp>

namespace server {

// Which connections to the peer port may do a handshake now. Anyone can connect there, and each
// connection may stay until its deadline, so their number has bounds. Most places are kept for the
// addresses of the configured servers. A server greets as soon as it is connected, so a connection
// that has not greeted yet makes room for a later one. A value: no sockets, no clock.
class HandshakePlaces {
 public:
  using Address = boost::asio::ip::address;
  using Number = std::uint64_t;  // of a connection

  struct Bounds {
    std::size_t all;
    std::size_t of_one_address;
  };
  static constexpr Bounds of_strangers{16, 4};
  static constexpr Bounds of_servers{48, 4};  // plus one place for each server at the address

  struct Entry {
    Number number = 0;
    std::optional<Number> displaced;  // the connection that has lost its place, and must be closed
  };

  // Sets the addresses from which servers are expected: one or several for each server.
  void expect(const std::vector<Address>& addresses);
  [[nodiscard]] bool is_expected(const Address& from) const;

  // A place for a connection from this address; nothing if there is none.
  [[nodiscard]] std::optional<Entry> enter(const Address& from);
  // The connection has sent a greeting that fits. From now on no other one takes its place.
  void greeted(Number number);
  // The handshake has ended. Ignored for a connection that has lost its place.
  void leave(Number number);

 private:
  struct Handshake {
    Address from;
    bool greeted = false;
  };

  std::map<Address, std::size_t> servers_;  // how many are at each address
  std::map<Number, Handshake> under_way_;   // the oldest first
  Number last_ = 0;
};

// An IPv4 address in place of the IPv6 address that stands for it ("::ffff:10.0.0.1").
[[nodiscard]] boost::asio::ip::address plain(const boost::asio::ip::address& address);

}  // namespace server
