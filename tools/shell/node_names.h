#pragma once

#include <string>
#include <vector>

#include "client-lib/client.h"

namespace shell {

// The paths of nodes that begin with the text `typed`. The path of a node with children ends with
// '/'. If there are very many, returns some hundred of them and the last one, so that their common
// prefix is right. Never requests all children of a node. Returns nothing if no server replies in
// time.
[[nodiscard]] std::vector<std::string> node_names(zabkeeper::Client& client, const std::string& cwd,
                                                  const std::string& typed);

}  // namespace shell
