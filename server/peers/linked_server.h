#pragma once

#include <cstdint>

#include "wire/address.h"

namespace server {

// A server of the ensemble, as the links between servers need it.
struct LinkedServer {
  std::uint32_t id = 0;
  wire::Address address;  // for the other servers
  bool observer = false;
  std::uint32_t weight = 1;
  std::uint32_t group = 0;
};

}  // namespace server
