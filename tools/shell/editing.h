#pragma once

#include <string>
#include <string_view>

// Data that a person edits.
namespace shell {

// Editors add a newline at the end of a text. Removes it if the former data had none.
[[nodiscard]] std::string without_added_newline(std::string edited, std::string_view former);

// The lines that differ: `-` before those that are gone, `+` before those that are new. Long
// changes are cut off.
[[nodiscard]] std::string change_text(std::string_view former, std::string_view present);

// The suffix of a path, such as ".json". It tells an editor the kind of the data. Empty if the path
// has none.
[[nodiscard]] std::string suffix_of(std::string_view path);

}  // namespace shell
