#include "wire/utf8.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace wire {
namespace {

// What may follow a lead byte: how many bytes, and in which range the first of them lies. The
// narrowed ranges are those that exclude overlong forms, surrogates and what is above U+10FFFF.
struct Tail {
  std::size_t bytes = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xbf;
};

Tail tail_of(unsigned char lead) {
  if (lead < 0xc2) return {};
  if (lead < 0xe0) return {1};
  if (lead == 0xe0) return {2, 0xa0, 0xbf};
  if (lead == 0xed) return {2, 0x80, 0x9f};
  if (lead < 0xf0) return {2};
  if (lead == 0xf0) return {3, 0x90, 0xbf};
  if (lead < 0xf4) return {3};
  if (lead == 0xf4) return {3, 0x80, 0x8f};
  return {};
}

}  // namespace

bool is_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t eight = 0;
    if (text.size() - at >= sizeof eight) {
      std::memcpy(&eight, text.data() + at, sizeof eight);
      if ((eight & 0x8080808080808080u) == 0) {
        at += sizeof eight;
        continue;
      }
    }
    const auto lead = static_cast<unsigned char>(text[at++]);
    if (lead < 0x80) continue;
    const Tail tail = tail_of(lead);
    if (tail.bytes == 0 || tail.bytes > text.size() - at) return false;
    const auto first = static_cast<unsigned char>(text[at++]);
    if (first < tail.low || first > tail.high) return false;
    for (std::size_t i = 1; i < tail.bytes; ++i) {
      if ((static_cast<unsigned char>(text[at++]) & 0xc0) != 0x80) return false;
    }
  }
  return true;
}

}  // namespace wire
