#include "server/config/address.h"

#include <algorithm>
#include <charconv>

#include <boost/asio/ip/address.hpp>

namespace server {
namespace {

std::optional<std::uint16_t> port_from(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

boost::asio::ip::address parsed(std::string_view host, boost::system::error_code& error) {
  return boost::asio::ip::make_address(std::string(host), error);
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

}  // namespace

std::string to_string(const Address& address) {
  const bool brackets = address.host.find(':') != std::string::npos;
  return (brackets ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

std::optional<Address> address_from(std::string_view text) {
  Address address;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    address.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    boost::system::error_code error;
    if (!parsed(address.host, error).is_v6() || error) return std::nullopt;
  } else {
    const std::size_t end = std::min(text.find(':'), text.size());
    address.host = text.substr(0, end);
    rest = text.substr(end);
    if (address.host.empty() || !std::ranges::all_of(address.host, is_host_character)) {
      return std::nullopt;
    }
  }
  if (rest.empty()) return address;
  const std::optional<std::uint16_t> port = port_from(rest.substr(1));
  if (rest.front() != ':' || !port) return std::nullopt;
  address.port = *port;
  return address;
}

bool is_ip_literal(std::string_view host) {
  boost::system::error_code error;
  parsed(host, error);
  return !error;
}

bool is_loopback(std::string_view host) {
  boost::system::error_code error;
  const auto address = parsed(host, error);
  return host == "localhost" || (!error && address.is_loopback());
}

bool is_any(std::string_view host) {
  boost::system::error_code error;
  const auto address = parsed(host, error);
  return !error && address.is_unspecified();
}

}  // namespace server
