#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

// As much of RFC 6455 as a client of this server needs.
namespace bench {

enum class Opcode : unsigned char { text = 1, close = 8, ping = 9, pong = 10 };

constexpr std::array<char, 4> mask_key{0x37, 0x7a, 0x21, 0x3d};

// One byte of a frame's header; `value` has no more than eight bits.
inline char byte(std::size_t value) { return static_cast<char>(value & 0xFF); }

// Appends a masked frame.
inline void append_frame(std::string& out, Opcode opcode, std::string_view payload) {
  out += byte(0x80u | static_cast<unsigned char>(opcode));
  if (payload.size() < 126) {
    out += byte(0x80u | payload.size());
  } else if (payload.size() <= 0xFFFF) {
    out += byte(0x80u | 126u);
    out += byte(payload.size() >> 8);
    out += byte(payload.size());
  } else {
    throw std::logic_error("requests are smaller than 64 KiB");
  }
  out.append(mask_key.data(), mask_key.size());
  const std::size_t begin = out.size();
  out += payload;
  std::uint32_t key = 0;
  std::memcpy(&key, mask_key.data(), sizeof key);
  char* at = out.data() + begin;
  std::size_t left = payload.size();
  for (; left >= sizeof key; left -= sizeof key, at += sizeof key) {
    std::uint32_t word = 0;
    std::memcpy(&word, at, sizeof word);
    word ^= key;
    std::memcpy(at, &word, sizeof word);
  }
  for (std::size_t i = 0; i < left; ++i) at[i] = static_cast<char>(at[i] ^ mask_key[i]);
}

struct Frame {
  Opcode opcode;
  std::string_view payload;
  std::size_t size;  // with its header
};

// The frame that `bytes` begin with, if all of it is there. Servers do not mask.
inline std::optional<Frame> first_frame(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() < 2) return std::nullopt;
  if ((at(0) & 0x80) == 0) throw std::runtime_error("the server sent a fragment");
  std::size_t header = 2;
  std::size_t length = at(1);
  if (length >= 126) {
    header = length == 126 ? 4 : 10;
    if (bytes.size() < header) return std::nullopt;
    length = 0;
    for (std::size_t i = 2; i < header; ++i) length = length << 8 | at(i);
  }
  if (bytes.size() < header + length) return std::nullopt;
  return Frame{static_cast<Opcode>(at(0) & 0x0F), bytes.substr(header, length), header + length};
}

}  // namespace bench
