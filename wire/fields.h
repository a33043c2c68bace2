#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/frames.h"

// What stands in a frame of requests, before it is known what was meant: `op` may be the last field
// of its object. Only values that some request could want are kept.
namespace wire {

enum class Field : std::uint8_t {
  acl,
  after,
  at_least,
  auth,
  batch,
  consistency,
  container,
  create,
  data,
  data64,
  dedup,
  encoding,
  ephemeral,
  from,
  id,
  last_zxid,
  limit,
  once,
  op,
  ops,
  parents,
  password,
  path,
  perms,
  prefix,
  read_only,
  recursive,
  scheme,
  scope,
  sequential,
  session,
  timeout_ms,
  token,
  ttl_ms,
  version,
  watch,
  with_data,
  with_stat
};
[[nodiscard]] std::string_view name(Field field);

struct Fields;

struct Value {
  enum class Kind : std::uint8_t { null, boolean, integer, number, string, bytes, object, array };

  Kind kind = Kind::null;
  bool boolean = false;
  std::int64_t integer = 0;
  std::string text;           // of a string or bytes; a number's text unless `kind` is integer
  std::vector<Fields> items;  // of an array; an object's fields are its only item
};

struct KnownField {
  Field field;
  Value value;
};

// One object. An array's element that is no object is a Fields with `is_object` unset.
struct Fields {
  std::vector<KnownField> known;
  std::optional<std::string> unknown;  // the first name that is no field's
  std::optional<Field> duplicate;      // the first name that came twice
  bool is_object = true;
  Format format = Format::json;

  // Null if it is not there.
  [[nodiscard]] Value* find(Field field);
};

struct FieldsOfFrame {
  enum class Shape : std::uint8_t { requests, scalar, too_many };

  Shape shape = Shape::requests;
  std::vector<Fields> requests;
  bool is_list = false;
  ParsedFrame::Fault fault = ParsedFrame::Fault::none;
  std::size_t fault_at = 0;  // a byte of the frame
  std::string_view fault_why = {};
};

// Fills a FieldsOfFrame while somebody walks through the frame and tells what is there. All of it
// is false where there is no use in walking on; `frame` then says why.
class FieldsBuilder {
 public:
  FieldsBuilder(Format format, FieldsOfFrame& frame) : format_(format), frame_(frame) {}

  bool null() { return scalar({}); }
  bool boolean(bool value) { return scalar({Value::Kind::boolean, value, 0, {}, {}}); }
  bool integer(std::int64_t value) { return scalar({Value::Kind::integer, false, value, {}, {}}); }
  // A fraction, or an integer that not even 64 bits can hold.
  bool number(std::string text) {
    return scalar({Value::Kind::number, false, 0, std::move(text), {}});
  }
  bool string(std::string text) {
    return scalar({Value::Kind::string, false, 0, std::move(text), {}});
  }
  bool bytes(std::string bytes) {
    return scalar({Value::Kind::bytes, false, 0, std::move(bytes), {}});
  }
  bool begin_object();
  bool begin_array();
  // Comes before each value of an object.
  void key(std::string_view name);
  // Of the innermost object or array.
  void end() { open_.pop_back(); }

 private:
  // An open bracket: the object or the list that it fills, if its content is wanted. A pointer
  // stays good while its level is open, for only the innermost list grows.
  struct Level {
    Fields* object = nullptr;
    std::vector<Fields>* items = nullptr;
    bool skipped = false;
  };

  bool push(Level level);
  bool deeper();
  bool scalar(Value value);
  bool add_item(std::vector<Fields>& items, bool is_object);
  // Null where the key is not to be kept.
  Value* add_field(Value value);

  Format format_;
  FieldsOfFrame& frame_;
  std::vector<Level> open_;
  std::optional<Field> key_;  // of the value that comes next; nothing if that is not kept
};

// What the requests of a frame mean, or what is wrong with them.
[[nodiscard]] ParsedFrame requests_of(FieldsOfFrame&& frame);

}  // namespace wire
