#include "wire/json_large_frames.h"

#include <simdjson.h>
#include <string>

#include "wire/utf8.h"

// simdjson's On-Demand parser takes 7 times the text: a copy, the places of its tokens, and its
// strings. It checks values only when they are read, so all of them are read here.
namespace wire::json {
namespace {

namespace ondemand = simdjson::ondemand;

// Passes the values of a text to a RawFrameBuilder while simdjson reads it.
class OnDemandWalk {
 public:
  OnDemandWalk(std::size_t frame_bytes, RawFrame& frame)
      : builder_(Format::json, frame_bytes, frame) {}

  // All return false at invalid JSON, and if the builder wants no more values.

  bool object(simdjson::simdjson_result<ondemand::object> fields) {
    if (fields.error() != simdjson::SUCCESS || !builder_.begin_object()) return false;
    for (simdjson::simdjson_result<ondemand::field> field : fields.value_unsafe()) {
      std::string_view name;
      if (field.unescaped_key().get(name) != simdjson::SUCCESS) return false;
      builder_.key(name);
      if (!value(field.value())) return false;
    }
    builder_.end();
    return true;
  }
  bool array(simdjson::simdjson_result<ondemand::array> items) {
    if (items.error() != simdjson::SUCCESS || !builder_.begin_array()) return false;
    for (simdjson::simdjson_result<ondemand::value> item : items.value_unsafe()) {
      if (!value(item)) return false;
    }
    builder_.end();
    return true;
  }

 private:
  // The builder limits the depth.
  bool value(simdjson::simdjson_result<ondemand::value> result) {
    using Type = ondemand::json_type;
    ondemand::value value;
    Type type{};
    if (result.get(value) != simdjson::SUCCESS) return false;
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    switch (type) {
      case Type::object: return object(value.get_object());
      case Type::array: return array(value.get_array());
      case Type::string: return string(value);
      case Type::number: return number(value);
      case Type::boolean: return boolean(value);
      case Type::null: return value.is_null().value_unsafe() && builder_.null();
    }
    return false;
  }
  bool string(ondemand::value& value) {
    std::string_view text;
    return value.get_string().get(text) == simdjson::SUCCESS && builder_.string(std::string(text));
  }
  bool boolean(ondemand::value& value) {
    bool is_true = false;
    return value.get_bool().get(is_true) == simdjson::SUCCESS && builder_.boolean(is_true);
  }
  bool number(ondemand::value& value) {
    const std::string_view token = value.raw_json_token();
    std::int64_t integer = 0;
    if (value.get_int64().get(integer) == simdjson::SUCCESS) return builder_.integer(integer);
    double number = 0;
    if (value.get_double().get(number) != simdjson::SUCCESS) return false;
    return builder_.number(std::string(token.substr(0, token.find_first_of(" \t\r\n"))));
  }

  RawFrameBuilder builder_;
};

// Whether it is JSON, or the builder has stopped for another reason.
bool parse(std::string_view text, RawFrame& frame) {
  ondemand::parser parser;
  const simdjson::padded_string padded(text);
  ondemand::document document;
  ondemand::json_type type{};
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS) return false;
  if (document.type().get(type) != simdjson::SUCCESS) return false;

  OnDemandWalk walk(text.size(), frame);
  bool whole = false;
  if (type == ondemand::json_type::object) {
    whole = walk.object(document.get_object());
  } else if (type == ondemand::json_type::array) {
    whole = walk.array(document.get_array());
  } else {
    frame.shape = RawFrame::Shape::scalar;
    return true;
  }
  const bool at_end = document.current_location().error() == simdjson::OUT_OF_BOUNDS;
  return whole
             ? at_end
             : frame.fault != ParsedFrame::Fault::none || frame.shape != RawFrame::Shape::requests;
}

}  // namespace

RawFrame parse_large(std::string_view text) {
  RawFrame frame;
  if (!is_utf8(text)) {
    frame.fault = ParsedFrame::Fault::not_utf8;
  } else if (!parse(text, frame)) {
    frame.fault = ParsedFrame::Fault::not_json;
  }
  return frame;
}

}  // namespace wire::json
