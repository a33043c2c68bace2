#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "server/config/config.h"

namespace server {

// Serve with this configuration.
struct RunServer {
  Configured configured;
};

// PrintAndExit this and exit: on stdout where the code is 0 (--help, --version), else on stderr.
struct PrintAndExit {
  std::string text;
  int exit_code = 0;
};

// zabkeeper [CONFIG] [--key value | --key=value]...
// An option beats the environment (ZABKEEPER_TICK_TIME for tickTime), that beats the file, that
// beats the default. `environment` is as `environ`: "NAME=value" and a null at the end.
[[nodiscard]] std::variant<RunServer, PrintAndExit> parse_command_line(
    int argc, const char* const* argv, const char* const* environment, std::string_view version);

}  // namespace server
