#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/shell/grammar.h"

namespace CLI {
class ParseError;
}

namespace shell {

// What is wrong with the words of a command line. `extras`: the words that nothing expects, in
// their order. `command`: null if the words name none.
[[nodiscard]] std::string usage_reason(const CLI::ParseError& error,
                                       const std::vector<std::string>& extras,
                                       const Grammar* command);
// "; did you mean `delete -r`?" for a name that a command has in another shell, such as ZooKeeper's
// zkCli. Empty for all other words.
[[nodiscard]] std::string other_name_hint(std::string_view word);

}  // namespace shell
