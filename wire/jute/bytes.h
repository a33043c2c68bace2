#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

// Jute is the binary encoding of ZooKeeper's client protocol. Integers are big-endian. A length of
// 32 bits precedes each string, buffer and vector. The length -1 means null. Null and empty differ.
namespace wire::jute {

// Converts a value between the byte order of this machine and big-endian, in both directions.
template <std::integral T>
[[nodiscard]] constexpr T big_endian(T value) {
  if constexpr (std::endian::native == std::endian::big) return value;
  auto bytes = std::bit_cast<std::array<char, sizeof(T)>>(value);
  std::ranges::reverse(bytes);
  return std::bit_cast<T>(bytes);
}

// Appends encoded values to `out`, which must outlive the writer.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void int32(std::int32_t value) { integer(value); }
  void int64(std::int64_t value) { integer(value); }
  void boolean(bool value) { out_ += value ? '\1' : '\0'; }
  // A string or a buffer.
  void text(std::string_view value) {
    int32(static_cast<std::int32_t>(value.size()));
    out_ += value;
  }
  void null() { int32(-1); }
  // Bytes without a length.
  void raw(std::string_view value) { out_ += value; }

 private:
  template <std::integral T>
  void integer(T value) {
    value = big_endian(value);
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    out_.append(bytes, sizeof(T));
  }

  std::string& out_;
};

// Reads values from untrusted bytes. A missing or impossible value sets `failed()`; all later
// values are empty or zero. Bytes after the last value are ignored, as in ZooKeeper.
class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}

  std::int32_t int32() { return integer<std::int32_t>(); }
  std::int64_t int64() { return integer<std::int64_t>(); }
  // A byte 0 is false. Any other byte is true.
  bool boolean() {
    const std::string_view byte = raw(1);
    return !byte.empty() && byte.front() != '\0';
  }
  // A string or a buffer; nothing if it is null. The result points into the input.
  std::optional<std::string_view> text() {
    const std::int32_t size = int32();
    if (size == -1) return std::nullopt;
    if (size < 0) failed_ = true;
    return raw(static_cast<std::size_t>(std::max(size, 0)));
  }
  // The number of elements of a vector; nothing if it is null. An element has at least
  // `element_bytes` bytes, so a count that the rest of the input cannot hold is impossible.
  std::optional<std::size_t> count(std::size_t element_bytes) {
    const std::int32_t count = int32();
    if (count == -1) return std::nullopt;
    const auto elements = static_cast<std::size_t>(std::max(count, 0));
    if (elements > in_.size() / element_bytes) failed_ = true;
    return failed_ ? 0 : elements;
  }

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] std::size_t remaining() const { return in_.size(); }

 private:
  template <std::integral T>
  T integer() {
    const std::string_view bytes = raw(sizeof(T));
    if (bytes.size() < sizeof(T)) return 0;
    T value;
    std::memcpy(&value, bytes.data(), sizeof(T));
    return big_endian(value);
  }
  std::string_view raw(std::size_t size) {
    if (failed_ || size > in_.size()) {
      failed_ = true;
      return {};
    }
    const std::string_view bytes = in_.substr(0, size);
    in_.remove_prefix(size);
    return bytes;
  }

  std::string_view in_;
  bool failed_ = false;
};

}  // namespace wire::jute
