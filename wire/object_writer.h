#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/requests.h"

namespace wire {

// Writes one object straight into a buffer, field by field, in the syntax of a JsonSyntax or a
// CborSyntax. The destructor completes the object.
template <typename Syntax>
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out), begin_(Syntax::begin_object(out)) {}
  ~ObjectWriter() { Syntax::end_object(begin_, fields_, out_); }
  ObjectWriter(const ObjectWriter&) = delete;
  ObjectWriter& operator=(const ObjectWriter&) = delete;

  // Appends a field's name, and returns the buffer for its value.
  std::string& field(std::string_view name) {
    Syntax::append_name(name, fields_++, out_);
    return out_;
  }
  void string(std::string_view name, std::string_view value) {
    Syntax::append_string(value, field(name));
  }
  [[gnu::always_inline]] void hex(std::string_view name, std::uint64_t value) {
    if constexpr (requires { Syntax::append_hex_field(name, 0, value, out_); }) {
      Syntax::append_hex_field(name, fields_++, value, out_);
    } else {
      Syntax::append_hex(value, field(name));
    }
  }
  void boolean(std::string_view name, bool value) { Syntax::append_boolean(value, field(name)); }
  void null(std::string_view name) { Syntax::append_null(field(name)); }
  void id(std::string_view name, const RequestId& id) { Syntax::append_id(id, field(name)); }
  template <std::integral T>
  [[gnu::always_inline]] void integer(std::string_view name, T value) {
    if constexpr (requires { Syntax::append_integer_field(name, 0, value, out_); }) {
      Syntax::append_integer_field(name, fields_++, value, out_);
    } else {
      Syntax::append_integer(value, field(name));
    }
  }
  // A znode's data. The syntax chooses the field's name.
  void data(std::string_view bytes, Encoding encoding) { Syntax::add_data(bytes, encoding, *this); }

  // Writes a list; `append_item(item, out)` appends each item.
  template <typename Items, typename AppendItem>
  void list(std::string_view name, const Items& items, AppendItem append_item) {
    Syntax::append_array(items, field(name), append_item);
  }
  template <typename Items>
  void strings(std::string_view name, const Items& items) {
    list(name, items, Syntax::append_string);
  }

 private:
  std::string& out_;
  std::size_t begin_;  // where the object begins; the syntax needs it at the end
  std::size_t fields_ = 0;
};

}  // namespace wire
