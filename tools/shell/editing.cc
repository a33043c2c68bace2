#include "tools/shell/editing.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace shell {
namespace {

constexpr std::size_t lines_shown_max = 40;

using Lines = std::vector<std::string_view>;

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

void append_lines(const Lines& lines, std::size_t from, std::size_t to, char sign,
                  std::string& text) {
  const std::size_t shown = std::min(to, from + lines_shown_max);
  for (std::size_t i = from; i < shown; ++i) {
    text += sign;
    text += ' ';
    text += lines[i];
    text += '\n';
  }
  if (shown < to) {
    text += sign;
    text += " ... and " + std::to_string(to - shown) + " more lines\n";
  }
}

}  // namespace

std::string without_added_newline(std::string edited, std::string_view former) {
  const bool had_none = !former.empty() && !former.ends_with('\n');
  const bool is_added = edited.ends_with('\n') && !edited.ends_with("\n\n");
  if (had_none && is_added) edited.pop_back();
  return edited;
}

std::string change_text(std::string_view former, std::string_view present) {
  const Lines before = lines_of(former);
  const Lines after = lines_of(present);
  const std::size_t shorter = std::min(before.size(), after.size());
  std::size_t same = 0;
  while (same < shorter && before[same] == after[same]) ++same;
  std::size_t same_at_end = 0;
  while (same_at_end < shorter - same &&
         before[before.size() - 1 - same_at_end] == after[after.size() - 1 - same_at_end]) {
    ++same_at_end;
  }
  std::string text;
  append_lines(before, same, before.size() - same_at_end, '-', text);
  append_lines(after, same, after.size() - same_at_end, '+', text);
  return text;
}

std::string suffix_of(std::string_view path) {
  constexpr std::size_t suffix_bytes_max = 10;
  const std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos || path.size() - dot > suffix_bytes_max) return {};
  const std::string_view suffix = path.substr(dot + 1);
  const bool is_plain = !suffix.empty() && std::ranges::all_of(suffix, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
  return is_plain ? '.' + std::string(suffix) : std::string();
}

}  // namespace shell
