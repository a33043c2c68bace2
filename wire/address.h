#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/result.h"

// Host names, IP addresses and ports, as configuration, HTTP headers and URLs have them (RFC 3986).
namespace wire {

struct Address {
  std::string host;        // a name or an IP address, without the brackets of IPv6
  std::uint16_t port = 0;  // 0: not given

  bool operator==(const Address&) const = default;
};

// "host:port", with brackets around an IPv6 address.
[[nodiscard]] std::string to_string(const Address& address);

// Parses "host", "host:port", "[v6]" or "[v6]:port". An IPv6 address may have a zone, as in
// "[fe80::1%eth0]". The error's message says what is wrong with `text` and does not repeat it.
[[nodiscard]] Result<Address> parse_address(std::string_view text);

struct Url {
  std::string scheme;  // as it was written
  Address address;
  std::string target;  // all from the path's slash on; empty if there is none
};

// Parses "scheme://address", "scheme://address/path". Errors as of parse_address.
[[nodiscard]] Result<Url> parse_url(std::string_view text);

// The 4 or 16 bytes of an IP address, in network order. Ignores an IPv6 address's zone. Empty if
// `host` is not an IP address.
[[nodiscard]] std::string ip_bytes(std::string_view host);
[[nodiscard]] bool is_ip_address(std::string_view host);
// localhost, 127.0.0.0/8 or ::1: reaches only this machine.
[[nodiscard]] bool is_loopback(std::string_view host);
// 0.0.0.0 or ::, to listen on all addresses.
[[nodiscard]] bool is_any_address(std::string_view host);

}  // namespace wire
