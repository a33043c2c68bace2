#include "wire/address.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <boost/url/authority_view.hpp>
#include <boost/url/ipv4_address.hpp>
#include <boost/url/ipv6_address.hpp>
#include <boost/url/parse.hpp>

namespace wire {
namespace {

namespace urls = boost::urls;

Error bad(std::string message) { return {ErrorCode::bad_arguments, std::move(message)}; }

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

// Removes the zone of an IPv6 address in brackets, and returns the zone: "%eth0" of
// "[fe80::1%eth0]:2180". Boost.URL does not know zones.
std::string remove_zone(std::string& text) {
  const std::size_t end = text.find(']');
  const std::size_t begin = text.find('%');
  if (!text.starts_with('[') || end == text.npos || begin > end) return {};
  std::string zone = text.substr(begin, end - begin);
  text.erase(begin, zone.size());
  return zone;
}

}  // namespace

std::string to_string(const Address& address) {
  const bool is_v6 = address.host.find(':') != std::string::npos;
  return (is_v6 ? '[' + address.host + ']' : address.host) + ':' + std::to_string(address.port);
}

Result<Address> parse_address(std::string_view text) {
  std::string without_zone(text);
  const std::string zone = remove_zone(without_zone);
  const auto parsed = urls::parse_authority(without_zone);
  if (!parsed || parsed->has_userinfo() || parsed->host_type() == urls::host_type::ipvfuture) {
    return bad("is not host or host:port, with brackets around an IPv6 address");
  }

  Address address{parsed->host_address() + zone, 0};
  if (address.host.empty()) return bad("names no host");
  const bool is_v6 = parsed->host_type() == urls::host_type::ipv6;
  if (!is_v6 && !std::ranges::all_of(address.host, is_host_character)) {
    return bad("has characters that a host name cannot have");
  }
  if (!parsed->has_port()) return address;
  const std::string_view port = parsed->port();
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc{} || end != port.data() + port.size()) {
    return bad("has no port from 0 to 65535");
  }
  return address;
}

// The scheme is split off by hand, so that its errors say what is wrong. Boost.URL parses the
// address.
Result<Url> parse_url(std::string_view text) {
  const std::size_t colon = text.find("://");
  if (colon == text.npos) return bad("has no scheme such as ws://");
  Url url{std::string(text.substr(0, colon)), {}, {}};
  const std::string_view rest = text.substr(colon + 3);
  const std::size_t end = std::min(rest.find('/'), rest.size());
  auto address = parse_address(rest.substr(0, end));
  if (!address) return address.error();
  url.address = *std::move(address);
  url.target = rest.substr(end);
  return url;
}

std::string ip_bytes(std::string_view host) {
  if (const auto v4 = urls::parse_ipv4_address(host)) {
    const auto bytes = v4->to_bytes();
    return {bytes.begin(), bytes.end()};
  }
  if (const auto v6 = urls::parse_ipv6_address(host.substr(0, host.find('%')))) {
    const auto bytes = v6->to_bytes();
    return {bytes.begin(), bytes.end()};
  }
  return {};
}

bool is_ip_address(std::string_view host) { return !ip_bytes(host).empty(); }

bool is_loopback(std::string_view host) {
  const std::string bytes = ip_bytes(host);
  return host == "localhost" || (bytes.size() == 4 && bytes.front() == 127) ||
         bytes == std::string(15, '\0') + '\1';
}

bool is_any_address(std::string_view host) {
  const std::string bytes = ip_bytes(host);
  return !bytes.empty() && bytes.find_first_not_of('\0') == bytes.npos;
}

}  // namespace wire
