#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/records.h"
#include "wire/requests.h"

// The smallest pieces of JSON text, shared by what reads and what writes it.
namespace wire::json {

// `text`, which is UTF-8, between quotes and with what JSON wants escaped.
void append_string(std::string_view text, std::string& out);

template <std::integral T>
void append_integer(T value, std::string& out) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end.ptr);
}

// 16 hex digits between quotes.
void append_hex(std::uint64_t value, std::string& out);

// `"cdrwa"` out of the bits of AclEntry::perms, and back; nothing for any other letter.
[[nodiscard]] std::string perm_letters(std::uint8_t perms);
[[nodiscard]] std::optional<std::uint8_t> perms_of(std::string_view letters);

[[nodiscard]] std::string_view name(WatchScope scope);

// Writes one object, field by field; the braces are its own.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_.push_back('{'); }
  ~ObjectWriter() { out_.push_back('}'); }
  ObjectWriter(const ObjectWriter&) = delete;
  ObjectWriter& operator=(const ObjectWriter&) = delete;

  // The buffer, right behind the field's colon: what is appended next is its value.
  std::string& field(std::string_view name) {
    if (!first_) out_.push_back(',');
    first_ = false;
    out_.push_back('"');
    out_.append(name);
    out_.append("\":");
    return out_;
  }
  void string(std::string_view name, std::string_view value) { append_string(value, field(name)); }
  void hex(std::string_view name, std::uint64_t value) { append_hex(value, field(name)); }
  void raw(std::string_view name, std::string_view json) { field(name).append(json); }
  void boolean(std::string_view name, bool value) { raw(name, value ? "true" : "false"); }
  template <std::integral T>
  void integer(std::string_view name, T value) {
    append_integer(value, field(name));
  }
  // `data` where the bytes are UTF-8 and nobody asked for base64, else `data64`.
  void data(std::string_view bytes, Encoding encoding);

 private:
  std::string& out_;
  bool first_ = true;
};

// A list, its items written by `write_item(item, out)`.
template <typename Items, typename WriteItem>
void append_array(const Items& items, std::string& out, WriteItem write_item) {
  out.push_back('[');
  bool first = true;
  for (const auto& item : items) {
    if (!first) out.push_back(',');
    first = false;
    write_item(item, out);
  }
  out.push_back(']');
}

void append_acl(const Acl& acl, std::string& out);

}  // namespace wire::json
