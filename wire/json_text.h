#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "wire/bytes.h"
#include "wire/ensure.h"
#include "wire/object_writer.h"
#include "wire/requests.h"

// Writes single values of JSON.
namespace wire::json {

// Appends `text`, which must be UTF-8, in quotes and escaped.
void append_string(std::string_view text, std::string& out);

inline constexpr std::size_t integer_bytes_max = 24;
template <std::integral T>
void append_integer(T value, std::string& out) {
  char digits[integer_bytes_max];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, static_cast<std::size_t>(end.ptr - digits));
}

// Writes 16 hex digits in quotes to `out`, which has room for them. Returns their end.
inline constexpr std::size_t hex_bytes = 18;
inline char* write_hex(std::uint64_t value, char* out) {
  *out++ = '"';
  for (const std::uint32_t half :
       {static_cast<std::uint32_t>(value >> 32), static_cast<std::uint32_t>(value)}) {
    // One half-byte in each byte of a word: the last digit is the lowest byte.
    std::uint64_t digits = half;
    digits = (digits | (digits << 16)) & 0x0000ffff0000ffff;
    digits = (digits | (digits << 8)) & 0x00ff00ff00ff00ff;
    digits = (digits | (digits << 4)) & 0x0f0f0f0f0f0f0f0f;
    const std::uint64_t letters = ((digits + 0x0606060606060606) >> 4) & 0x0101010101010101;
    digits += 0x3030303030303030 + letters * ('a' - '0' - 10);
    digits = little_endian(__builtin_bswap64(digits));
    std::memcpy(out, &digits, sizeof digits);
    out += sizeof digits;
  }
  *out++ = '"';
  return out;
}
// Appends them.
inline void append_hex(std::uint64_t value, std::string& out) {
  char text[hex_bytes];
  out.append(text, static_cast<std::size_t>(write_hex(value, text) - text));
}

// JSON, for an ObjectWriter.
struct JsonSyntax {
  static std::size_t begin_object(std::string& out) {
    out.push_back('{');
    return 0;
  }
  static void end_object(std::size_t, std::size_t, std::string& out) { out.push_back('}'); }
  static void append_name(std::string_view name, std::size_t fields_before, std::string& out) {
    char text[name_bytes_max];
    append(text, write_name(name, fields_before, text), out);
  }
  // In one step each, because a reply has many short fields: a name, and a number.
  template <std::integral T>
  static void append_integer_field(std::string_view name, std::size_t fields_before, T value,
                                   std::string& out) {
    char text[name_bytes_max + integer_bytes_max];
    char* const begin = write_name(name, fields_before, text);
    append(text, std::to_chars(begin, text + sizeof text, value).ptr, out);
  }
  static void append_hex_field(std::string_view name, std::size_t fields_before,
                               std::uint64_t value, std::string& out) {
    char text[name_bytes_max + hex_bytes];
    char* const begin = write_name(name, fields_before, text);
    append(text, write_hex(value, begin), out);
  }
  static void append_string(std::string_view text, std::string& out) {
    json::append_string(text, out);
  }
  static void append_hex(std::uint64_t value, std::string& out) { json::append_hex(value, out); }
  template <std::integral T>
  static void append_integer(T value, std::string& out) {
    json::append_integer(value, out);
  }
  static void append_boolean(bool value, std::string& out) { out.append(value ? "true" : "false"); }
  static void append_null(std::string& out) { out.append("null"); }
  static void append_id(const RequestId& id, std::string& out) {
    out.append(id.none() ? "null" : id.json);
  }
  // Adds `data` if the bytes are UTF-8 and the client did not ask for base64, else `data64`.
  static void add_data(std::string_view bytes, Encoding encoding, ObjectWriter<JsonSyntax>& object);
  template <typename Items, typename AppendItem>
  static void append_array(const Items& items, std::string& out, AppendItem append_item) {
    out.push_back('[');
    bool first = true;
    for (const auto& item : items) {
      if (!first) out.push_back(',');
      first = false;
      append_item(item, out);
    }
    out.push_back(']');
  }

 private:
  // Of a field, with its punctuation.
  static constexpr std::size_t name_bytes_max = 64;
  // std::string takes a length faster than an end.
  static void append(const char* begin, const char* end, std::string& out) {
    out.append(begin, static_cast<std::size_t>(end - begin));
  }
  // Inlined, because the compiler knows most names.
  [[gnu::always_inline]] static char* write_name(std::string_view name, std::size_t fields_before,
                                                 char* out) {
    ensure(name.size() + 4 <= name_bytes_max, "the name of a field is short");
    if (fields_before > 0) *out++ = ',';
    *out++ = '"';
    out += name.copy(out, name.size());
    *out++ = '"';
    *out++ = ':';
    return out;
  }
};

}  // namespace wire::json
