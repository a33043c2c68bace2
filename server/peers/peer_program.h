#pragma once

#include <cstdint>
#include <string>

#include "wire/forms.h"

namespace server {

// The program at the other end of a link, as it said in its greeting.
struct PeerProgram {
  wire::LevelRange levels;     // at which it can run
  std::uint16_t protocol = 0;  // which the link speaks
  std::string program;         // "zabkeeper 0.2.0"; "zabkeeper 0.1" for a program that does not say

  bool operator==(const PeerProgram&) const = default;
};

}  // namespace server
