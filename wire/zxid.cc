#include "wire/zxid.h"

#include <charconv>

namespace wire {

std::string to_hex(std::uint64_t value) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text(16, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, value >>= 4) {
    *digit = digits[value & 0xf];
  }
  return text;
}

std::optional<std::uint64_t> from_hex(std::string_view text) {
  if (text.size() != 16) return std::nullopt;
  if (text.find_first_not_of("0123456789abcdef") != std::string_view::npos) return std::nullopt;
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

std::string to_string(Zxid zxid) {
  return std::to_string(zxid.epoch.value) + ':' + std::to_string(zxid.counter);
}

}  // namespace wire
