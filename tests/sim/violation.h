#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace sim {

// An invariant does not hold.
struct Violation : std::runtime_error {
  Violation(std::string name, const std::string& what)
      : std::runtime_error(name + ": " + what), invariant(std::move(name)) {}

  std::string invariant;  // its name
};

}  // namespace sim
