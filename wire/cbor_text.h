#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/object_writer.h"
#include "wire/requests.h"

// Writes single items of CBOR (RFC 8949).
namespace wire::cbor {

enum class Major : std::uint8_t { positive, negative, bytes, text, array, map, tag, simple };

// Appends the head of an item, in its shortest form.
void append_head(Major major, std::uint64_t argument, std::string& out);

// CBOR, for an ObjectWriter.
struct CborSyntax {
  // The first byte of a map has the number of its fields, so it is written at the end.
  static std::size_t begin_object(std::string& out) {
    out.push_back('\0');
    return out.size() - 1;
  }
  static void end_object(std::size_t begin, std::size_t fields, std::string& out);
  static void append_name(std::string_view name, std::size_t, std::string& out) {
    append_string(name, out);
  }
  static void append_string(std::string_view text, std::string& out) {
    append_head(Major::text, text.size(), out);
    out.append(text);
  }
  static void append_hex(std::uint64_t value, std::string& out);
  template <std::integral T>
  static void append_integer(T value, std::string& out) {
    if (value < 0) return append_head(Major::negative, ~static_cast<std::uint64_t>(value), out);
    append_head(Major::positive, static_cast<std::uint64_t>(value), out);
  }
  static void append_boolean(bool value, std::string& out) {
    out.push_back(value ? '\xf5' : '\xf4');
  }
  static void append_null(std::string& out) { out.push_back('\xf6'); }
  static void append_id(const RequestId& id, std::string& out);
  static void add_data(std::string_view bytes, Encoding, ObjectWriter<CborSyntax>& object) {
    std::string& out = object.field("data");
    append_head(Major::bytes, bytes.size(), out);
    out.append(bytes);
  }
  template <typename Items, typename AppendItem>
  static void append_array(const Items& items, std::string& out, AppendItem append_item) {
    append_head(Major::array, items.size(), out);
    for (const auto& item : items) append_item(item, out);
  }
};

}  // namespace wire::cbor
