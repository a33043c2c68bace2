#include "wire/json_text.h"

#include "wire/base64.h"
#include "wire/json_escapes.h"
#include "wire/utf8.h"

namespace wire::json {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

void append_escaped(char c, std::string& out) {
  switch (c) {
    case '"': out.append("\\\""); return;
    case '\\': out.append("\\\\"); return;
    case '\n': out.append("\\n"); return;
    case '\r': out.append("\\r"); return;
    case '\t': out.append("\\t"); return;
    default: break;
  }
  const auto value = static_cast<unsigned char>(c);
  out.append("\\u00");
  out.push_back(hex_digits[value >> 4]);
  out.push_back(hex_digits[value & 0xf]);
}

}  // namespace

void append_string(std::string_view text, std::string& out) {
  out.push_back('"');
  std::size_t plain_from = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    while (text.size() - at >= word_bytes && !has_escaped(load_word(text.data() + at))) {
      at += word_bytes;
    }
    if (at == text.size()) break;
    const char c = text[at];
    if (!is_escaped(c)) continue;
    out.append(text.substr(plain_from, at - plain_from));
    append_escaped(c, out);
    plain_from = at + 1;
  }
  out.append(text.substr(plain_from));
  out.push_back('"');
}

void JsonSyntax::add_data(std::string_view bytes, Encoding encoding,
                          ObjectWriter<JsonSyntax>& object) {
  if (encoding == Encoding::text_if_utf8 && is_utf8(bytes)) return object.string("data", bytes);
  std::string& out = object.field("data64");
  out.push_back('"');
  append_base64(bytes, out);
  out.push_back('"');
}

}  // namespace wire::json
