#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "server/clients/stream.h"
#include "wire/address.h"

namespace server {

// The configuration keys of a port, for error messages.
struct PortKeys {
  std::string port;
  std::string address;
};

// Listens on all addresses of a host name, such as 127.0.0.1 and ::1 of localhost, and appends
// their acceptors. If the port is 0, sets it to the port that the system has chosen. Returns
// nothing, or an error message that says what to do.
[[nodiscard]] std::optional<std::string> listen_on(wire::Address& address, const PortKeys& keys,
                                                   boost::asio::io_context& io,
                                                   std::vector<Acceptor>& acceptors);

// Logs a warning if the host name of webAddress has only loopback addresses. Often /etc/hosts is
// wrong then.
void warn_if_only_loopback(const std::string& host, const std::vector<Acceptor>& acceptors);

}  // namespace server
