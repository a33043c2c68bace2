#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "server/config/config.h"

namespace server {

// Start the server with this configuration.
struct RunServer {
  Configured configured;
};

// Print the text and exit: to stdout if the code is 0 (--help, --version), else to stderr.
struct PrintAndExit {
  std::string text;
  int exit_code = 0;
};

// zabkeeper [CONFIG] [--key value | --key=value]...
// Options override the environment (ZABKEEPER_TICK_TIME for tickTime), the environment overrides
// the file, and the file overrides the defaults. `environment` is like `environ`: "NAME=value",
// with a null at the end.
[[nodiscard]] std::variant<RunServer, PrintAndExit> parse_command_line(
    int argc, const char* const* argv, const char* const* environment, std::string_view version);

}  // namespace server
