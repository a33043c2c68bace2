#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace server {

// "a, b" -> "a" and "b", without the space around them.
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);
// Without spaces, tabs, form feeds and carriage returns at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

// With small letters instead of A to Z.
[[nodiscard]] constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
[[nodiscard]] std::string lower(std::string_view text);

}  // namespace server
