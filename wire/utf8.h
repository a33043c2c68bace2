#pragma once

#include <cstddef>
#include <string_view>

namespace wire {

// Whether `text` is UTF-8 of RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text);

// The bytes of the character that begins with this byte; 1 if none does.
[[nodiscard]] constexpr std::size_t character_size(char first) {
  const auto byte = static_cast<unsigned char>(first);
  if (byte >= 0xF0) return 4;
  if (byte >= 0xE0) return 3;
  return byte >= 0xC0 ? 2 : 1;
}
// `character` is one character in valid UTF-8.
[[nodiscard]] constexpr char32_t code_point(std::string_view character) {
  const auto first = static_cast<unsigned char>(character.front());
  if (character.size() == 1) return first;
  char32_t point = first & (0x7Fu >> character.size());
  for (const char byte : character.substr(1)) {
    point = (point << 6) | (static_cast<unsigned char>(byte) & 0x3Fu);
  }
  return point;
}

}  // namespace wire
