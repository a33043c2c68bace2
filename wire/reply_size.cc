#include "wire/reply_size.h"

#include <algorithm>
#include <cstdint>

#include "wire/json_escapes.h"

namespace wire {

// JSON writes a control character as up to six bytes, a quote and a backslash as two. Bytes that
// are not ASCII may be no text, and in base64 then.
std::size_t text_bytes_max(std::string_view bytes) {
  std::size_t escapes = 0;
  std::uint64_t all_bits = 0;
  const auto add_escapes = [&](std::string_view part) {
    for (const char c : part) {
      if (json::is_escaped(c)) escapes += static_cast<unsigned char>(c) < 0x20 ? 5 : 1;
    }
  };
  std::string_view left = bytes;
  for (; left.size() >= json::word_bytes; left.remove_prefix(json::word_bytes)) {
    const std::uint64_t word = json::load_word(left.data());
    all_bits |= word;
    if (json::has_escaped(word)) add_escapes(left.substr(0, json::word_bytes));
  }
  for (const char c : left) all_bits |= static_cast<unsigned char>(c);
  add_escapes(left);
  const bool is_ascii = (all_bits & 0x8080808080808080) == 0;
  const std::size_t in_base64 = is_ascii ? 0 : (bytes.size() + 2) / 3 * 4;
  return std::max(bytes.size() + escapes, in_base64) + 16;
}

}  // namespace wire
