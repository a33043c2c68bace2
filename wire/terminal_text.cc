#include "wire/terminal_text.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "wire/utf8.h"

namespace wire {
namespace {

bool is_terminal_control(char32_t point) { return point < 0x20 || (point >= 0x7F && point < 0xA0); }

// Whether it changes how a line, or what follows in it, is laid out.
bool changes_layout(char32_t point) {
  return point == 0x061C || point == 0x200E || point == 0x200F ||
         (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069) ||
         point == 0xFEFF;
}

template <typename... Values>
void append_formatted(std::string& out, const char* format, Values... values) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), format, values...);
  out += text.data();
}

void append_escaped_point(char32_t point, std::string& out) {
  if (point == '\r') {
    out += "\\r";
  } else if (point < 0x80) {
    append_formatted(out, "\\x%02x", static_cast<unsigned>(point));
  } else {
    append_formatted(out, "\\u{%04x}", static_cast<unsigned>(point));
  }
}

}  // namespace

std::string terminal_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::string_view character = text.substr(0, character_size(text.front()));
    if (!is_utf8(character)) {
      append_formatted(out, "\\x%02x",
                       static_cast<unsigned>(static_cast<unsigned char>(text.front())));
      text.remove_prefix(1);
      continue;
    }
    const char32_t point = code_point(character);
    if (point != '\n' && point != '\t' && (is_terminal_control(point) || changes_layout(point))) {
      append_escaped_point(point, out);
    } else {
      out += character;
    }
    text.remove_prefix(character.size());
  }
  return out;
}

std::string utf8_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::string_view character = text.substr(0, character_size(text.front()));
    const bool is_valid = is_utf8(character);
    out += is_valid ? character : "\xef\xbf\xbd";
    text.remove_prefix(is_valid ? character.size() : 1);
  }
  return out;
}

std::size_t unfinished_bytes(std::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const char byte = text[text.size() - back];
    if ((static_cast<unsigned char>(byte) & 0xC0) == 0x80) continue;
    return character_size(byte) > back ? back : 0;
  }
  return 0;
}

}  // namespace wire
