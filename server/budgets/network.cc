#include "server/budgets/network.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <iterator>

namespace server {

std::string network_of(const std::string& address) {
  if (address.find(':') == std::string::npos) return address;
  const std::string without_zone = address.substr(0, address.find('%'));
  in6_addr bits{};
  if (inet_pton(AF_INET6, without_zone.c_str(), &bits) != 1) return address;
  if (IN6_IS_ADDR_V4MAPPED(&bits)) return address;
  std::fill(std::begin(bits.s6_addr) + 8, std::end(bits.s6_addr), std::uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_ntop(AF_INET6, &bits, text.data(), text.size()) == nullptr) return address;
  return std::string(text.data()) + "/64";
}

}  // namespace server
