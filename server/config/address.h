#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace server {

struct Address {
  std::string host;  // without brackets where it is an IPv6 address
  std::uint16_t port = 0;

  bool operator==(const Address&) const = default;
};

// "host:port", with brackets around an IPv6 address.
[[nodiscard]] std::string to_string(const Address& address);

// "host:port" or "[v6]:port"; without a port it is 0. Nothing if it is neither.
[[nodiscard]] std::optional<Address> address_from(std::string_view text);

[[nodiscard]] bool is_ip_literal(std::string_view host);
// Reaches no further than this machine.
[[nodiscard]] bool is_loopback(std::string_view host);
// 0.0.0.0 or ::
[[nodiscard]] bool is_any(std::string_view host);

}  // namespace server
