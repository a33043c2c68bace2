#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/json.h"

// What stands in a frame of requests, before it is known what was meant: `op` may be the last field
// of its object. Only values that some request could want are kept.
namespace wire::json {

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
  enum class Kind : std::uint8_t { null, boolean, integer, number, string, object, array };

  Kind kind = Kind::null;
  bool boolean = false;
  std::int64_t integer = 0;
  std::string text;           // a string's content, a number's text unless `kind` is integer
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

  // Null if it is not there.
  [[nodiscard]] Value* find(Field field);
};

struct FieldsOfFrame {
  enum class Shape : std::uint8_t { requests, scalar, too_many };

  Shape shape = Shape::requests;
  std::vector<Fields> requests;
  ParsedFrame::Fault fault = ParsedFrame::Fault::none;
  std::size_t fault_at = 0;  // a byte of the frame
};

[[nodiscard]] FieldsOfFrame read_fields(std::string_view text);

}  // namespace wire::json
