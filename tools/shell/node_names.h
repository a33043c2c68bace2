#pragma once

#include <string>
#include <vector>

#include "client-lib/client.h"

namespace shell {

// The paths that begin with what was typed, of nodes; a node with children has a '/' at its end. If
// there are very many, only some hundred of them and the last one: so what all of them have in
// common is true. Never asks for all children of a node. Nothing if no server replies in time.
[[nodiscard]] std::vector<std::string> node_names(zabkeeper::Client& client, const std::string& cwd,
                                                  const std::string& typed);

}  // namespace shell
