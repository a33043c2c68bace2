#pragma once

#include <ostream>
#include <string_view>

// Data of nodes as text for people.
namespace shell {

// Whether the data are not text: they are not UTF-8, or have a byte 0.
[[nodiscard]] bool is_binary(std::string_view data);

// The bytes in hex digits and as characters of ASCII, 16 in a line.
void print_hex(std::string_view data, std::ostream& out);

// Prints JSON with a line for each value. Names, numbers and strings stay as they are. Returns
// false, and prints nothing, if the data are not JSON.
[[nodiscard]] bool print_indented_json(std::string_view data, std::ostream& out);

}  // namespace shell
