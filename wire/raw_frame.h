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

// From the values of a frame to its requests. The fields of one request are collected first,
// because `op` may be the last of them. Only fields that some request knows are kept.
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

// An object, or an element of an array that is not an object. A string in a list of strings is the
// only field of such an element.
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
  std::vector<ParsedRequest> requests;  // those that have ended
  RawObject open;                       // the request that has begun, or the last one
  bool is_list = false;
  ParsedFrame::Fault fault = ParsedFrame::Fault::none;
  std::size_t fault_at = 0;  // a byte of the frame, from 1; 0 if it is not known
  std::string_view fault_why = {};
};

// How much memory a RawFrameBuilder may take for a frame of so many bytes. The parser that reads
// the frame takes the rest of frame_memory_max.
[[nodiscard]] constexpr std::size_t builder_memory_max(std::size_t frame_bytes) {
  return frame_bytes + frame_bytes / 4 + frame_memory_min;
}

// Builds a RawFrame from the values of a frame, in their order. A function that returns false has
// found a reason to stop parsing; `frame` has the reason.
class RawFrameBuilder {
 public:
  // `frame_bytes` is the length of the frame.
  RawFrameBuilder(Format format, std::size_t frame_bytes, RawFrame& frame)
      : format_(format), memory_max_(builder_memory_max(frame_bytes)), frame_(frame) {}

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
  // A piece of a string: it takes time, however short it is.
  bool piece();
  // Ends the innermost object or array.
  void end();

 private:
  // An object or array that has not ended: one of the first three is set, unless its content is
  // skipped. The pointers stay valid while it is open, because only the innermost list grows.
  struct Level {
    RawObject* object = nullptr;
    std::vector<RawObject>* items = nullptr;
    bool is_frame = false;    // the list of requests
    bool keeps_text = false;  // a list of strings
    bool skipped = false;
  };

  bool push(Level level);
  bool may_nest();
  bool scalar(RawValue value);
  bool begin_request(bool is_object);
  void end_request();
  bool add_item(std::vector<RawObject>& items, bool is_object);
  // Null if the key's value is not kept.
  RawValue* add_field(RawValue value);
  bool too_many();
  // False, with a fault, if the frame takes too much memory.
  bool fits();

  Format format_;
  std::size_t memory_max_;
  // Upper bounds, before the allocation: of the requests, and of the objects of the open request.
  std::size_t kept_bytes_ = 0;
  std::size_t open_bytes_ = 0;
  RawFrame& frame_;
  std::vector<Level> open_;
  std::optional<FieldId> key_;  // of the next value; nothing if that is not kept
};

// Checks one request. Takes its strings.
[[nodiscard]] ParsedRequest request_of(RawObject& raw);

// The requests of a frame, or why there are none.
[[nodiscard]] ParsedFrame requests_of(RawFrame&& frame);

}  // namespace wire
