#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "server/clients/stream.h"
#include "wire/address.h"

namespace server {

// The keys that say where to listen.
struct PortKeys {
  std::string port;
  std::string address;
};

// Listens on all addresses that a name stands for, such as 127.0.0.1 and ::1 for localhost, and
// appends their acceptors. Sets the port if it is 0. Returns what is wrong, and what to do.
[[nodiscard]] std::optional<std::string> listen_on(wire::Address& address, const PortKeys& keys,
                                                   boost::asio::io_context& io,
                                                   std::vector<Acceptor>& acceptors);

// Tells the operator if webAddress is a name of this machine alone, which /etc/hosts may have
// wrong.
void warn_if_only_loopback(const std::string& host, const std::vector<Acceptor>& acceptors);

}  // namespace server
