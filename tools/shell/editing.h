#pragma once

#include <string>
#include <string_view>

// Data that a person edits.
namespace shell {

// Editors end every text with a newline. If the data had none, it is removed again.
[[nodiscard]] std::string without_added_newline(std::string edited, std::string_view former);

// The lines that differ: `-` before those that are gone, `+` before those that are new. Long
// changes are cut off.
[[nodiscard]] std::string change_text(std::string_view former, std::string_view present);

// The end of a file's name that tells editors the kind of the data: ".json". Empty if the path has
// none.
[[nodiscard]] std::string suffix_of(std::string_view path);

}  // namespace shell
