#include "tools/shell/data_text.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include <nlohmann/json.hpp>

#include "wire/utf8.h"

namespace shell {
namespace {

constexpr std::size_t hex_line_bytes = 16;

std::string hex_of(std::size_t value, std::size_t digits) {
  std::string text(digits, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, value >>= 4) {
    *digit = "0123456789abcdef"[value & 0xF];
  }
  return text;
}

// Deeper values are not indented further: if they were, a megabyte of brackets would become
// terabytes.
constexpr std::size_t indented_levels_max = 64;

bool is_json_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The length of the string at the beginning of valid JSON, with its quotes.
std::size_t string_size(std::string_view json) {
  std::size_t at = 1;
  while (json[at] != '"') at += json[at] == '\\' ? 2 : 1;
  return at + 1;
}

}  // namespace

bool is_binary(std::string_view data) {
  return data.find('\0') != std::string_view::npos || !wire::is_utf8(data);
}

void print_hex(std::string_view data, std::ostream& out) {
  for (std::size_t at = 0; at < data.size(); at += hex_line_bytes) {
    const std::string_view bytes = data.substr(at, hex_line_bytes);
    std::string digits, characters;
    for (std::size_t i = 0; i < hex_line_bytes; ++i) {
      if (i == hex_line_bytes / 2) digits += ' ';
      if (i >= bytes.size()) {
        digits += "   ";
        continue;
      }
      const auto byte = static_cast<unsigned char>(bytes[i]);
      digits += hex_of(byte, 2) + ' ';
      characters += byte >= 0x20 && byte < 0x7f ? bytes[i] : '.';
    }
    out << hex_of(at, 8) << "  " << digits << " |" << characters << "|\n";
  }
  out << hex_of(data.size(), 8) << '\n';
}

bool print_indented_json(std::string_view data, std::ostream& out) {
  if (!nlohmann::json::accept(data)) return false;
  std::size_t level = 0;
  const auto begin_line = [&] {
    out << '\n' << std::string(2 * std::min(level, indented_levels_max), ' ');
  };
  const auto skip_space = [&] {
    while (!data.empty() && is_json_space(data.front())) data.remove_prefix(1);
  };
  for (skip_space(); !data.empty(); skip_space()) {
    const char c = data.front();
    const std::size_t size = c == '"' ? string_size(data) : 1;
    const std::string_view token = data.substr(0, size);
    data.remove_prefix(size);
    if (c == '}' || c == ']') {
      --level;
      begin_line();
    }
    out << token;
    if (c == '{' || c == '[') {
      skip_space();
      if (data.front() == '}' || data.front() == ']') {
        out << data.front();
        data.remove_prefix(1);
      } else {
        ++level;
        begin_line();
      }
    }
    if (c == ':') out << ' ';
    if (c == ',') begin_line();
  }
  out << '\n';
  return true;
}

}  // namespace shell
