#pragma once

#include <optional>
#include <string>

#include "tools/shell/command_line.h"
#include "wire/requests.h"

namespace shell {

// The request of a command that always sends exactly one. A script can send it before it is the
// command's turn. Returns nothing for other commands. The Runner must send the same request.
[[nodiscard]] std::optional<wire::Request> only_request(const Command& command,
                                                        const std::string& cwd);

// The path for the request of `create`, whose path is `resolved`. It keeps a slash at the end for a
// sequential node, whose name is then its number alone.
[[nodiscard]] std::string path_of_new(const Create& create, std::string resolved);

}  // namespace shell
