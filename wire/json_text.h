#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/ensure.h"
#include "wire/object_writer.h"
#include "wire/requests.h"

// Writes single values of JSON.
namespace wire::json {

// Appends `text`, which must be UTF-8, in quotes and escaped.
void append_string(std::string_view text, std::string& out);

template <std::integral T>
void append_integer(T value, std::string& out) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end.ptr);
}

// Appends 16 hex digits in quotes.
void append_hex(std::uint64_t value, std::string& out);

// JSON, for an ObjectWriter.
struct JsonSyntax {
  static std::size_t begin_object(std::string& out) {
    out.push_back('{');
    return 0;
  }
  static void end_object(std::size_t, std::size_t, std::string& out) { out.push_back('}'); }
  // In one step, because a reply has many short names. They are names of fields, so none is long.
  static void append_name(std::string_view name, std::size_t fields_before, std::string& out) {
    char text[64];
    ensure(name.size() + 4 <= sizeof text, "the name of a field is short");
    std::size_t size = 0;
    if (fields_before > 0) text[size++] = ',';
    text[size++] = '"';
    size += name.copy(text + size, name.size());
    text[size++] = '"';
    text[size++] = ':';
    out.append(text, size);
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
};

}  // namespace wire::json
