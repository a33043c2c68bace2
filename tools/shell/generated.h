#pragma once

#include <optional>
#include <string>

namespace shell {

// What is installed beside the program, made of the same tables as the help: "bash" and "zsh" are
// scripts for completion, "man" is the manual page. Nothing for other names.
[[nodiscard]] std::optional<std::string> generated(const std::string& what);

}  // namespace shell
