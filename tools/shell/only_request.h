#pragma once

#include <optional>
#include <string>

#include "tools/shell/command_line.h"
#include "wire/requests.h"

namespace shell {

// The request of a command that sends one request, whatever the reply is. So a script can send it
// before it is the command's turn. Nothing for other commands. The Runner sends the same request.
[[nodiscard]] std::optional<wire::Request> only_request(const Command& command,
                                                        const std::string& cwd);

}  // namespace shell
