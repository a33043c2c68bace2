#include "server/peers/addresses.h"

#include <algorithm>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/peers/completion.h"
#include "wire/address.h"

namespace server {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;
using tcp = asio::ip::tcp;

// An address as it is written, and what it resolves to.
struct Place {
  tcp::endpoint endpoint;
  wire::Address written;
};

std::string to_string(const Place& place) {
  const std::string found = place.endpoint.address().to_string();
  return wire::to_string(place.written) +
         (found == place.written.host ? std::string() : " (" + found + ")");
}

void add(const Names::Endpoints& found, const wire::Address& written, std::vector<Place>& places) {
  for (const tcp::endpoint& endpoint : found) {
    if (std::ranges::find(places, endpoint, &Place::endpoint) != places.end()) continue;
    places.push_back({endpoint, written});
  }
}

// --- Listening ---

std::string advice(const error_code& error) {
  if (error == asio::error::address_in_use) {
    return "; is this server running already? If not, choose another port in its line, for all "
           "servers";
  }
  if (error == boost::system::errc::address_not_available) {
    return "; this machine has no such address: is the id (myid) another server's? If the address "
           "is "
           "translated on the way (NAT), set quorumListenOnAllIPs=true";
  }
  return {};
}

wire::Error cannot_listen(const LinkedServer& self, const std::string& address,
                          const error_code& error) {
  return {wire::ErrorCode::system_error, "cannot listen for the other servers on " + address +
                                             " (server." + std::to_string(self.id) +
                                             "): " + error.message() + advice(error)};
}

// Listens on `endpoint`. With `for_both`, the IPv6 address for all addresses is also for IPv4.
error_code open(tcp::acceptor& acceptor, const tcp::endpoint& endpoint, bool for_both) {
  error_code error;
  if (acceptor.open(endpoint.protocol(), error); error) return error;
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (endpoint.protocol() == tcp::v6()) {
    acceptor.set_option(asio::ip::v6_only(!for_both), error);
    if (error && for_both) return error;
  }
  if (acceptor.bind(endpoint, error); error) return error;
  acceptor.listen(asio::socket_base::max_listen_connections, error);
  return error;
}

wire::Result<Listening> listen_on_all(asio::io_context& io, const LinkedServer& self) {
  Listening listening;
  std::vector<std::uint16_t> ports;
  for (const wire::Address& address : addresses_of(self)) {
    if (std::ranges::find(ports, address.port) != ports.end()) continue;
    ports.push_back(address.port);
    tcp::acceptor acceptor(io);
    error_code error = open(acceptor, {tcp::v6(), address.port}, true);
    if (error && error != asio::error::address_in_use) {  // there is no IPv6 here
      acceptor = tcp::acceptor(io);
      error = open(acceptor, {tcp::v4(), address.port}, false);
    }
    if (error)
      return cannot_listen(self, "port " + std::to_string(address.port) + " of all addresses",
                           error);
    listening.acceptors.push_back(std::move(acceptor));
  }
  return listening;
}

// Whether this is the IPv6 address for all addresses, and IPv4 has no place of its own.
bool is_for_both(const tcp::endpoint& endpoint, const std::vector<Place>& places) {
  if (endpoint.protocol() != tcp::v6() || !endpoint.address().is_unspecified()) return false;
  return std::ranges::none_of(places, [&](const Place& other) {
    return other.endpoint.protocol() == tcp::v4() && other.endpoint.port() == endpoint.port();
  });
}

// --- Dialing ---

// Closes the socket at this time, unless it is destroyed before.
asio::steady_timer limit(const SocketPtr& socket, std::chrono::steady_clock::time_point at) {
  asio::steady_timer timer(socket->get_executor(), at);
  timer.async_wait([socket](const error_code& cancelled) {
    error_code ignored;
    if (!cancelled) socket->close(ignored);
  });
  return timer;
}

}  // namespace

wire::Result<Listening> listen_for_servers(asio::io_context& io,
                                           const std::vector<LinkedServer>& servers,
                                           const LinkedServer& self, bool on_all) {
  if (on_all) return listen_on_all(io, self);
  std::vector<Place> places;
  std::optional<wire::Error> failure;
  for (const wire::Address& address : addresses_of(self)) {
    error_code error;
    tcp::resolver resolver(io);
    const auto found = resolver.resolve(address.host, std::to_string(address.port), error);
    if (error) failure = cannot_listen(self, wire::to_string(address), error);
    Names::Endpoints endpoints;
    for (const auto& entry : found) endpoints.push_back(entry.endpoint());
    add(endpoints, address, places);
  }
  Listening listening;
  std::vector<asio::ip::address> opened;
  for (const Place& place : places) {
    tcp::acceptor acceptor(io);
    const bool for_both = is_for_both(place.endpoint, places);
    const error_code error = open(acceptor, place.endpoint, for_both);
    if (!error) {
      listening.acceptors.push_back(std::move(acceptor));
      opened.push_back(place.endpoint.address());
      continue;
    }
    failure = cannot_listen(self, to_string(place), error);
    if (error == asio::error::address_in_use) return *failure;
  }
  if (listening.acceptors.empty()) return *failure;
  if (failure) listening.warnings.push_back(failure->message);
  if (auto warning = loopback_warning(servers, self, opened)) {
    listening.warnings.push_back(*std::move(warning));
  }
  return listening;
}

// Debian gives a machine's own name the address 127.0.1.1.
std::optional<std::string> loopback_warning(const std::vector<LinkedServer>& servers,
                                            const LinkedServer& self,
                                            const std::vector<asio::ip::address>& listening) {
  const std::string& host = self.address.host;
  if (wire::is_ip_address(host) || wire::is_loopback(host)) return std::nullopt;
  if (!std::ranges::all_of(listening, [](const auto& one) { return one.is_loopback(); })) {
    return std::nullopt;
  }
  const bool others_are_elsewhere = std::ranges::any_of(servers, [&](const LinkedServer& other) {
    return other.id != self.id && !wire::is_loopback(other.address.host) &&
           other.address.host != host;
  });
  if (!others_are_elsewhere) return std::nullopt;
  return host + " (server." + std::to_string(self.id) + ") is " + listening.front().to_string() +
         " on this machine, so servers on other machines cannot connect to this one: correct "
         "/etc/hosts, or set quorumListenOnAllIPs=true";
}

awaitable<std::optional<NotAgreed>> connect_to(SocketPtr socket, Names& names,
                                               const LinkedServer& peer, std::size_t first,
                                               std::chrono::milliseconds timeout) {
  std::vector<Place> places;
  std::string failure = "its name resolves to no address";
  for (const wire::Address& address : addresses_of(peer)) {
    const Names::Answer answer = co_await names.resolve(address, timeout);
    if (!answer.problem.empty()) {
      failure = "its address " + address.host + " cannot be resolved: " + answer.problem;
    }
    add(answer.endpoints, address, places);
  }
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Place& place = places[(first + i) % places.size()];
    const auto now = std::chrono::steady_clock::now();
    if (now >= deadline) break;
    *socket = tcp::socket(socket->get_executor());
    const auto share = (deadline - now) / static_cast<int>(places.size() - i);
    const asio::steady_timer timer = limit(socket, now + share);
    const auto [error] = co_await socket->async_connect(place.endpoint, use_tuple);
    if (!error && socket->is_open()) co_return std::nullopt;
    const bool timed_out = !error || error == asio::error::operation_aborted;
    failure = "cannot connect to " + to_string(place) + ": " +
              (timed_out ? "timed out" : error.message());
  }
  co_return NotAgreed{failure};
}

}  // namespace server
