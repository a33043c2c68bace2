#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace sim {

// An invariant that does not hold, by its name.
struct Violation : std::runtime_error {
  Violation(std::string name, const std::string& what)
      : std::runtime_error(name + ": " + what), invariant(std::move(name)) {}

  std::string invariant;
};

}  // namespace sim
