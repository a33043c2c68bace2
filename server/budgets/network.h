#pragma once

#include <string>

namespace server {

// Whoever has one IPv6 address has 2^64 of them. So limits of an address are limits of an IPv4
// address, or of the first 64 bits of an IPv6 address. Anything else is returned as it is.
[[nodiscard]] std::string network_of(const std::string& address);

}  // namespace server
