#pragma once

#include <optional>
#include <string>

namespace shell {

// Makes a file that is installed with the program, from the tables of the help. "bash" and "zsh":
// scripts for completion. "man": the manual page. Returns nothing for another name.
[[nodiscard]] std::optional<std::string> generated(const std::string& what);

}  // namespace shell
