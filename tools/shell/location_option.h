#pragma once

#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "tools/shell/location.h"

namespace shell {

// Adds a required argument that is a node of this ensemble, or of another.
inline void add_location(CLI::App& app, const std::string& name, Location& to) {
  const auto parse = [&to, name](const std::string& text) {
    auto location = parse_location(text);
    if (!location) throw CLI::ValidationError(name, "must be PATH or ws://HOST:PORT/PATH");
    to = std::move(*location);
  };
  app.add_option_function<std::string>(name, parse)->required();
}

}  // namespace shell
