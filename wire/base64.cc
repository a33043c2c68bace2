#include "wire/base64.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace wire {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t none = 0xff;

constexpr std::array<std::uint8_t, 256> values = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(none);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}();

std::uint32_t byte(char c) { return static_cast<unsigned char>(c); }

}  // namespace

void append_base64(std::string_view bytes, std::string& out) {
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
  while (!bytes.empty()) {
    const std::size_t count = bytes.size() < 3 ? bytes.size() : 3;
    std::uint32_t bits = byte(bytes[0]) << 16;
    if (count > 1) bits |= byte(bytes[1]) << 8;
    if (count > 2) bits |= byte(bytes[2]);
    out.push_back(alphabet[bits >> 18]);
    out.push_back(alphabet[(bits >> 12) & 63]);
    out.push_back(count > 1 ? alphabet[(bits >> 6) & 63] : '=');
    out.push_back(count > 2 ? alphabet[bits & 63] : '=');
    bytes.remove_prefix(count);
  }
}

std::optional<Bytes> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  Bytes bytes;
  bytes.reserve(text.size() / 4 * 3);
  while (!text.empty()) {
    std::size_t digits = 4;
    if (text.size() == 4 && text[3] == '=') digits = text[2] == '=' ? 2 : 3;
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const std::uint8_t value = values[static_cast<unsigned char>(text[i])];
      if (value == none) return std::nullopt;
      bits |= static_cast<std::uint32_t>(value) << (18 - 6 * i);
    }
    const std::uint32_t unused = digits == 2 ? 0xffffu : digits == 3 ? 0xffu : 0u;
    if ((bits & unused) != 0) return std::nullopt;
    bytes.push_back(static_cast<char>(bits >> 16));
    if (digits > 2) bytes.push_back(static_cast<char>(bits >> 8));
    if (digits > 3) bytes.push_back(static_cast<char>(bits));
    text.remove_prefix(4);
  }
  return bytes;
}

}  // namespace wire
