#include "tools/shell/glob.h"

#include <algorithm>
#include <string>

#include "wire/utf8.h"

namespace shell {
namespace {

// If the text is not UTF-8, each byte is a character.
std::u32string characters_of(std::string_view text) {
  const bool is_text = wire::is_utf8(text);
  std::u32string characters;
  while (!text.empty()) {
    const std::size_t size = is_text ? wire::character_size(text.front()) : 1;
    characters +=
        is_text ? wire::code_point(text.substr(0, size)) : static_cast<unsigned char>(text.front());
    text.remove_prefix(size);
  }
  return characters;
}

}  // namespace

bool Glob::Part::has(char32_t character) const {
  if (kind == Kind::any_character) return true;
  const bool is_in = std::ranges::any_of(ranges, [&](const Range& range) {
    return range.first <= character && character <= range.second;
  });
  return is_in == (kind == Kind::one_of);
}

Glob::Glob(std::string_view pattern) {
  const std::u32string text = characters_of(pattern);
  for (std::size_t at = 0; at < text.size();) {
    char32_t character = text[at++];
    if (character == U'*') {
      parts_.push_back({Part::Kind::any_text});
    } else if (character == U'?') {
      parts_.push_back({Part::Kind::any_character});
    } else if (character != U'[' || !add_set(text, at)) {
      if (character == U'\\' && at < text.size()) character = text[at++];
      parts_.push_back({Part::Kind::one_of, {{character, character}}});
    }
  }
}

bool Glob::add_set(std::u32string_view pattern, std::size_t& at) {
  Part part;
  std::size_t next = at;
  if (next < pattern.size() && (pattern[next] == U'!' || pattern[next] == U'^')) {
    part.kind = Part::Kind::none_of;
    ++next;
  }
  // A closing bracket that is the first character stands for itself.
  for (const std::size_t first = next; next < pattern.size();) {
    if (pattern[next] == U']' && next > first) {
      at = next + 1;
      parts_.push_back(std::move(part));
      return true;
    }
    if (pattern[next] == U'\\' && next + 1 < pattern.size()) ++next;
    const char32_t begin = pattern[next++];
    const bool is_range =
        next + 1 < pattern.size() && pattern[next] == U'-' && pattern[next + 1] != U']';
    part.ranges.emplace_back(begin, is_range ? pattern[next + 1] : begin);
    if (is_range) next += 2;
  }
  return false;
}

// If the text after a `*` does not match, the `*` matches one more character. Only the last `*` has
// to do this, because the earlier ones already match at the earliest place.
bool Glob::matches(std::string_view name) const {
  constexpr auto none = std::string::npos;
  const std::u32string text = characters_of(name);
  std::size_t part = 0, at = 0, star = none, star_end = 0;
  while (at < text.size()) {
    if (part < parts_.size() && parts_[part].kind == Part::Kind::any_text) {
      star = part++;
      star_end = at;
    } else if (part < parts_.size() && parts_[part].has(text[at])) {
      ++part;
      ++at;
    } else if (star != none) {
      part = star + 1;
      at = ++star_end;
    } else {
      return false;
    }
  }
  while (part < parts_.size() && parts_[part].kind == Part::Kind::any_text) ++part;
  return part == parts_.size();
}

}  // namespace shell
