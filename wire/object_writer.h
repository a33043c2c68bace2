#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/requests.h"

namespace wire {

// Writes one object straight into a buffer, field by field: a JsonSyntax or CborSyntax
// says how.
// What is written is complete once this is destroyed.
template <typename Syntax>
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out), begin_(Syntax::begin_object(out)) {}
  ~ObjectWriter() { Syntax::end_object(begin_, fields_, out_); }
  ObjectWriter(const ObjectWriter&) = delete;
  ObjectWriter& operator=(const ObjectWriter&) = delete;

  // The buffer, right behind the field's name: what is appended next is its value.
  std::string& field(std::string_view name) {
    Syntax::append_name(name, fields_++, out_);
    return out_;
  }
  void string(std::string_view name, std::string_view value) {
    Syntax::append_string(value, field(name));
  }
  void hex(std::string_view name, std::uint64_t value) { Syntax::append_hex(value, field(name)); }
  void boolean(std::string_view name, bool value) { Syntax::append_boolean(value, field(name)); }
  void null(std::string_view name) { Syntax::append_null(field(name)); }
  void id(std::string_view name, const RequestId& id) { Syntax::append_id(id, field(name)); }
  template <std::integral T>
  void integer(std::string_view name, T value) {
    Syntax::append_integer(value, field(name));
  }
  // A znode's; the name is up to the syntax.
  void data(std::string_view bytes, Encoding encoding) { Syntax::add_data(bytes, encoding, *this); }

  // A list, its items appended by `append_item(item, out)`.
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
  std::size_t begin_;  // as the syntax wants to remember it
  std::size_t fields_ = 0;
};

}  // namespace wire
