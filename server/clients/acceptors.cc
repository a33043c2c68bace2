#include "server/clients/acceptors.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <set>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "server/logging/limited_log.h"

namespace server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

std::string bind_complaint(const wire::Address& web, const PortKeys& keys,
                           const error_code& error) {
  const std::string port = std::to_string(web.port);
  if (error == asio::error::address_in_use) {
    return "port " + port + " on " + web.host +
           " is in use by another process; choose another with " + keys.port + "=";
  }
  if (error == asio::error::access_denied) {
    return "port " + port + " on " + web.host +
           " is not open to this user; choose one above 1023 with " + keys.port + "=";
  }
  if (error.value() == EADDRNOTAVAIL) {
    return "this machine has no address " + web.host + "; choose another with " + keys.address +
           "=, or 0.0.0.0 for all its addresses";
  }
  return "cannot listen on " + to_string(web) + ": " + error.message();
}

bool listen(Acceptor& acceptor, const tcp::endpoint& endpoint, error_code& error) {
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  return !error;
}

}  // namespace

std::optional<std::string> listen_on(wire::Address& address, const PortKeys& keys,
                                     asio::io_context& io, std::vector<Acceptor>& acceptors) {
  error_code error;
  tcp::resolver resolver(io);
  const auto found =
      resolver.resolve(address.host, std::to_string(address.port),
                       tcp::resolver::passive | tcp::resolver::numeric_service, error);
  const std::string setting = keys.address + "=" + address.host;
  if (error || found.empty()) {
    return "cannot resolve " + setting + ": " + error.message() +
           "; choose another, or 0.0.0.0 for all addresses of this machine";
  }
  std::set<asio::ip::address> tried;
  std::optional<std::string> complaint;
  std::vector<std::string> without;
  std::vector<Acceptor> opened;
  for (const auto& entry : found) {
    tcp::endpoint endpoint = entry.endpoint();
    endpoint.port(address.port);  // if it was 0: the port of the first acceptor
    if (!tried.insert(endpoint.address()).second) continue;
    Acceptor acceptor(io);
    if (listen(acceptor, endpoint, error)) {
      address.port = acceptor.local_endpoint(error).port();
      opened.push_back(std::move(acceptor));
    } else if (error == asio::error::address_in_use) {
      return bind_complaint(address, keys, error);
    } else {
      complaint = bind_complaint(address, keys, error);
      without.push_back(endpoint.address().to_string() + " (" + error.message() + ")");
    }
  }
  if (opened.empty()) return complaint;
  for (const std::string& unusable : without) {
    spdlog::info("{}: clients cannot use its address {}", setting, unusable);
  }
  std::ranges::move(opened, std::back_inserter(acceptors));
  return std::nullopt;
}

// Debian gives a machine's own name the address 127.0.1.1.
void warn_if_only_loopback(const std::string& host, const std::vector<Acceptor>& acceptors) {
  if (wire::is_ip_address(host) || wire::is_loopback(host)) return;
  error_code ignored;
  const auto address_of = [&](const Acceptor& one) {
    return one.local_endpoint(ignored).address();
  };
  const bool is_reachable = std::ranges::any_of(
      acceptors, [&](const Acceptor& one) { return !address_of(one).is_loopback(); });
  if (is_reachable) return;
  spdlog::warn(
      "webAddress={} is {} on this machine, so clients on other machines cannot connect: correct "
      "/etc/hosts, or set webAddress=0.0.0.0",
      host, address_of(acceptors.front()).to_string());
}

}  // namespace server
