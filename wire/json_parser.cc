#include <utility>

#include <nlohmann/json.hpp>

#include "wire/fields.h"
#include "wire/json.h"
#include "wire/utf8.h"

namespace wire::json {
namespace {

// What nlohmann's parser calls while it walks through the text.
class Sax {
 public:
  explicit Sax(FieldsOfFrame& frame) : frame_(frame), builder_(Format::json, frame) {}

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

  FieldsOfFrame& frame_;
  FieldsBuilder builder_;
};

FieldsOfFrame fields_of(std::string_view text) {
  FieldsOfFrame frame;
  if (!is_utf8(text)) {
    frame.fault = ParsedFrame::Fault::not_utf8;
    return frame;
  }
  // nlohmann's parser takes a NUL for the end of the text.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    frame.fault = ParsedFrame::Fault::not_json;
    frame.fault_at = nul + 1;
    return frame;
  }
  Sax sax(frame);
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

ParsedFrame parse_requests(std::string_view text) { return requests_of(fields_of(text)); }

}  // namespace wire::json
