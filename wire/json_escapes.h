#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace wire::json {

// Whether JSON writes the byte in another way than as itself.
[[nodiscard]] constexpr bool is_escaped(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

// So many bytes are looked at together: most text has none to escape.
inline constexpr std::size_t word_bytes = sizeof(std::uint64_t);

// The bytes at `text`, of which there are at least word_bytes.
[[nodiscard]] inline std::uint64_t load_word(const char* text) {
  std::uint64_t word = 0;
  std::memcpy(&word, text, word_bytes);
  return word;
}

// Whether one of the bytes is_escaped. A byte minus n borrows its highest bit if it is less than n.
[[nodiscard]] constexpr bool has_escaped(std::uint64_t word) {
  constexpr std::uint64_t each = ~std::uint64_t{0} / 0xff;  // 0x01 in each byte
  const auto any_below = [](std::uint64_t bytes, std::uint64_t n) {
    return (bytes - each * n) & ~bytes & (each * 0x80);
  };
  return (any_below(word, 0x20) | any_below(word ^ (each * '"'), 1) |
          any_below(word ^ (each * '\\'), 1)) != 0;
}

}  // namespace wire::json
