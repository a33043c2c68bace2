#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "wire/zxid.h"

namespace wire {

// A string, because every library here accepts strings.
using Bytes = std::string;

// The value whose bytes in memory are those of `value` in little-endian order, and back.
template <std::integral T>
[[nodiscard]] constexpr T little_endian(T value) {
  if constexpr (std::endian::native == std::endian::big) {
    auto bytes = std::bit_cast<std::array<char, sizeof(T)>>(value);
    std::ranges::reverse(bytes);
    return std::bit_cast<T>(bytes);
  } else {
    return value;
  }
}

// Appends values in the one binary form used between servers and on disk: integers little-endian
// and of fixed width, strings with a 32-bit length before them.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) : out_(out) {}

  template <std::integral T>
  void integer(T value) {
    value = little_endian(value);
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    out_.append(bytes, sizeof(T));
  }
  void boolean(bool value) { integer<std::uint8_t>(value ? 1 : 0); }
  void epoch(Epoch value) { integer(value.value); }
  void zxid(Zxid value) { integer(value.bits()); }
  void string(std::string_view value) {
    integer(static_cast<std::uint32_t>(value.size()));
    out_.append(value);
  }
  // Bytes without a length. The reader must know how many.
  void raw(std::string_view value) { out_.append(value); }

 private:
  Bytes& out_;
};

// Reads the values of a ByteWriter from untrusted bytes. A missing or invalid value sets
// `failed()`; all later values are empty or zero.
class ByteReader {
 public:
  explicit ByteReader(std::string_view in) : in_(in) {}

  template <std::integral T>
  T integer() {
    const std::string_view bytes = raw(sizeof(T));
    if (bytes.empty()) return 0;
    T value;
    std::memcpy(&value, bytes.data(), sizeof(T));
    return little_endian(value);
  }
  bool boolean() {
    const auto value = integer<std::uint8_t>();
    if (value > 1) failed_ = true;
    return value == 1;
  }
  Epoch epoch() {
    const auto value = integer<std::uint32_t>();
    if (value > Epoch::max) failed_ = true;
    return {value};
  }
  Zxid zxid() { return Zxid::from_bits(integer<std::uint64_t>()); }
  std::string_view string() { return raw(integer<std::uint32_t>()); }
  std::string_view raw(std::size_t count) {
    if (failed_ || count > in_.size()) {
      failed_ = true;
      return {};
    }
    const std::string_view bytes = in_.substr(0, count);
    in_.remove_prefix(count);
    return bytes;
  }

  // Marks a value that was read as invalid.
  void fail() { failed_ = true; }

  [[nodiscard]] std::size_t remaining() const { return in_.size(); }
  [[nodiscard]] bool failed() const { return failed_; }
  // All values were there, and no bytes are left.
  [[nodiscard]] bool complete() const { return !failed_ && in_.empty(); }

 private:
  std::string_view in_;
  bool failed_ = false;
};

}  // namespace wire
