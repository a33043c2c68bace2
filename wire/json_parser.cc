#include <simdjson.h>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "wire/json.h"
#include "wire/json_large_frames.h"
#include "wire/raw_frame.h"
#include "wire/utf8.h"

// simdjson parses valid frames: a set of 100 bytes takes 549 ns with all checks; with nlohmann's
// parser it took 1854 ns. All other frames are parsed once more by nlohmann's, which reports where
// the text is no longer JSON, and keeps the digits of fractions.
// tests/fuzz/json_fuzz.cc checks that simdjson accepts nothing that the other rejects.
// Large frames are parsed in json_large_frames.cc.
namespace wire::json {
namespace {

// simdjson's DOM takes about 15 times the text, and nlohmann's parser 37 ms for 1 MiB.
constexpr std::size_t large_frame_bytes = 64 * 1024;

// --- simdjson ---

// Passes the values of a parsed text to a RawFrameBuilder, in their order.
class DomWalk {
 public:
  DomWalk(std::size_t frame_bytes, RawFrame& frame) : builder_(Format::json, frame_bytes, frame) {}

  // False if the builder wants no more values, or at a fraction.
  bool value(simdjson::dom::element element) {
    using Type = simdjson::dom::element_type;
    switch (element.type()) {
      case Type::OBJECT: return object(element.get_object().value_unsafe());
      case Type::ARRAY: return array(element.get_array().value_unsafe());
      case Type::STRING: return builder_.string(std::string(element.get_string().value_unsafe()));
      case Type::INT64: return builder_.integer(element.get_int64().value_unsafe());
      case Type::UINT64:
        return builder_.number(std::to_string(element.get_uint64().value_unsafe()));
      case Type::DOUBLE: has_fraction_ = true; return false;
      case Type::BOOL: return builder_.boolean(element.get_bool().value_unsafe());
      case Type::NULL_VALUE: return builder_.null();
    }
    return false;
  }
  // Whether a fraction was found. simdjson loses its text, so nlohmann's parser must read it.
  [[nodiscard]] bool has_fraction() const { return has_fraction_; }

 private:
  // The builder limits the depth.
  bool object(simdjson::dom::object fields) {
    if (!builder_.begin_object()) return false;
    for (const auto& [name, each] : fields) {
      builder_.key(name);
      if (!value(each)) return false;
    }
    builder_.end();
    return true;
  }
  bool array(simdjson::dom::array items) {
    if (!builder_.begin_array()) return false;
    for (const simdjson::dom::element each : items) {
      if (!value(each)) return false;
    }
    builder_.end();
    return true;
  }

  RawFrameBuilder builder_;
  bool has_fraction_ = false;
};

// False if nlohmann's parser has to look at the text.
bool parse_valid(std::string_view text, RawFrame& frame) {
  thread_local simdjson::dom::parser parser;  // keeps about 15 times large_frame_bytes
  simdjson::dom::element root;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) return false;
  DomWalk walk(text.size(), frame);
  walk.value(root);
  return !walk.has_fraction();
}

// --- nlohmann ---

// Passes the values of a text to a RawFrameBuilder while nlohmann's parser reads it.
class Sax {
 public:
  Sax(std::size_t frame_bytes, RawFrame& frame)
      : frame_(frame), builder_(Format::json, frame_bytes, frame) {}

  bool null() { return builder_.null(); }
  bool boolean(bool value) { return builder_.boolean(value); }
  bool number_integer(std::int64_t value) { return builder_.integer(value); }
  bool number_unsigned(std::uint64_t value) {
    if (std::in_range<std::int64_t>(value)) {
      return builder_.integer(static_cast<std::int64_t>(value));
    }
    return builder_.number(std::to_string(value));
  }
  bool number_float(double, const std::string& text) { return builder_.number(text); }
  bool string(std::string& text) { return builder_.string(std::move(text)); }
  bool binary(nlohmann::json::binary_t&) { return false; }  // JSON text has none.
  bool start_object(std::size_t) { return builder_.begin_object(); }
  bool start_array(std::size_t) { return builder_.begin_array(); }
  bool key(std::string& name) {
    builder_.key(name);
    return true;
  }
  bool end_object() { return end(); }
  bool end_array() { return end(); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) {
    frame_.fault = ParsedFrame::Fault::not_json;
    frame_.fault_at = position;
    return false;
  }

 private:
  bool end() {
    builder_.end();
    return true;
  }

  RawFrame& frame_;
  RawFrameBuilder builder_;
};

RawFrame parse_other(std::string_view text) {
  RawFrame frame;
  if (!is_utf8(text)) {
    frame.fault = ParsedFrame::Fault::not_utf8;
    return frame;
  }
  // nlohmann's parser treats a NUL as the end of the text.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    frame.fault = ParsedFrame::Fault::not_json;
    frame.fault_at = nul + 1;
    return frame;
  }
  // nlohmann's parser skips a byte order mark.
  if (text.starts_with("\xef\xbb\xbf")) {
    frame.fault = ParsedFrame::Fault::not_json;
    frame.fault_at = 1;
    return frame;
  }
  Sax sax(text.size(), frame);
  nlohmann::json::sax_parse(text.begin(), text.end(), &sax);
  return frame;
}

}  // namespace

std::size_t bytes_without_escapes(std::string_view text) {
  std::size_t bytes = text.size();
  for (std::size_t at = text.find("\\u"); at != text.npos; at = text.find("\\u", at + 6)) {
    if (text.size() - at >= 6) bytes -= 5;
  }
  return bytes;
}

// Next: requests_of (request_reader.cc).
ParsedFrame parse_requests(std::string_view text) {
  RawFrame frame;
  if (text.size() > large_frame_bytes) {
    frame = parse_large(text);
  } else if (!parse_valid(text, frame)) {
    frame = parse_other(text);
  }
  return requests_of(std::move(frame));
}

}  // namespace wire::json
