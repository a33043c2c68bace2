#pragma once

#include <string_view>

// Data of nodes as text for people.
namespace shell {

// Whether the data are something else than text: they are not UTF-8, or have a byte 0.
[[nodiscard]] bool is_binary(std::string_view data);

}  // namespace shell
