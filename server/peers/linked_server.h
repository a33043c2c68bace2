#pragma once

#include <cstdint>
#include <vector>

#include "wire/address.h"

namespace server {

// A server of the ensemble, as the links between servers need it.
struct LinkedServer {
  std::uint32_t id = 0;
  wire::Address address;  // for the other servers
  bool observer = false;
  std::uint32_t weight = 1;
  std::uint32_t group = 0;
  std::vector<wire::Address> further = {};  // of the same server
};

[[nodiscard]] inline std::vector<wire::Address> addresses_of(const LinkedServer& server) {
  std::vector<wire::Address> addresses{server.address};
  addresses.insert(addresses.end(), server.further.begin(), server.further.end());
  return addresses;
}

}  // namespace server
