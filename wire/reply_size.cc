#include "wire/reply_size.h"

#include <algorithm>

namespace wire {

// JSON writes a control character as up to six bytes, a quote and a backslash as two. Bytes that
// are not ASCII may be no text, and in base64 then.
std::size_t text_bytes_max(std::string_view bytes) {
  std::size_t escapes = 0;
  unsigned char all_bits = 0;
  for (const char c : bytes) {
    const auto value = static_cast<unsigned char>(c);
    all_bits |= value;
    escapes += value < 0x20 ? 5 : 0;
    escapes += (value == '"' || value == '\\') ? 1 : 0;
  }
  const bool is_ascii = (all_bits & 0x80) == 0;
  const std::size_t in_base64 = is_ascii ? 0 : (bytes.size() + 2) / 3 * 4;
  return std::max(bytes.size() + escapes, in_base64) + 16;
}

}  // namespace wire
