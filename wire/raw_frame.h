#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/field_names.h"
#include "wire/frames.h"

// A parsed frame whose requests are not checked yet, because `op` may be the last field of its
// object. Has only the fields that some request knows.
namespace wire {

struct RawObject;

struct RawValue {
  enum class Kind : std::uint8_t { null, boolean, integer, number, string, bytes, object, array };

  Kind kind = Kind::null;
  bool boolean = false;
  std::int64_t integer = 0;
  std::string text;              // a string, bytes, or the text of a number
  std::vector<RawObject> items;  // of an array; an object is its own only item
};

struct RawField {
  FieldId id;
  RawValue value;
};

// An object, or an element of an array that is not an object.
struct RawObject {
  std::vector<RawField> fields;
  std::optional<std::string> unknown;  // the first name that is not in field_names
  std::optional<FieldId> duplicate;    // the first name that came twice
  bool is_object = true;
  Format format = Format::json;

  // Null if it is not there.
  [[nodiscard]] RawValue* find(FieldId id);
};

struct RawFrame {
  enum class Shape : std::uint8_t { requests, scalar, too_many };

  Shape shape = Shape::requests;
  std::vector<RawObject> requests;
  bool is_list = false;
  ParsedFrame::Fault fault = ParsedFrame::Fault::none;
  std::size_t fault_at = 0;  // a byte of the frame
  std::string_view fault_why = {};
};

// Builds a RawFrame from the values of a frame, in their order. A function that returns false has
// found a reason to stop parsing; `frame` has the reason.
class RawFrameBuilder {
 public:
  RawFrameBuilder(Format format, RawFrame& frame) : format_(format), frame_(frame) {}

  bool null() { return scalar({}); }
  bool boolean(bool value) { return scalar({RawValue::Kind::boolean, value, 0, {}, {}}); }
  bool integer(std::int64_t value) {
    return scalar({RawValue::Kind::integer, false, value, {}, {}});
  }
  // A fraction, or an integer that does not fit in 64 bits.
  bool number(std::string text) {
    return scalar({RawValue::Kind::number, false, 0, std::move(text), {}});
  }
  bool string(std::string text) {
    return scalar({RawValue::Kind::string, false, 0, std::move(text), {}});
  }
  bool bytes(std::string bytes) {
    return scalar({RawValue::Kind::bytes, false, 0, std::move(bytes), {}});
  }
  bool begin_object();
  bool begin_array();
  // Comes before each value of an object.
  void key(std::string_view name);
  // Ends the innermost object or array.
  void end() { open_.pop_back(); }

 private:
  // An object or array that has not ended: one of the two pointers is set, unless its content is
  // skipped. The pointers stay valid while it is open, because only the innermost list grows.
  struct Level {
    RawObject* object = nullptr;
    std::vector<RawObject>* items = nullptr;
    bool skipped = false;
  };

  bool push(Level level);
  bool may_nest();
  bool scalar(RawValue value);
  bool add_item(std::vector<RawObject>& items, bool is_object);
  // Null if the key's value is not kept.
  RawValue* add_field(RawValue value);

  Format format_;
  RawFrame& frame_;
  std::vector<Level> open_;
  std::optional<FieldId> key_;  // of the next value; nothing if that is not kept
};

// Checks the requests of a frame.
[[nodiscard]] ParsedFrame requests_of(RawFrame&& frame);

}  // namespace wire
