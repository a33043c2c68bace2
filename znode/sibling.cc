#include "znode/sibling.h"

#include <algorithm>
#include <cstddef>

namespace znode {
namespace {

constexpr std::size_t number_digits = 10;

bool is_digit(char c) { return '0' <= c && c <= '9'; }
// Every byte of a character that is not ASCII counts as a letter.
bool is_letter(char c) {
  return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}
bool is_hex(char c) { return is_digit(c) || ('a' <= c && c <= 'f') || ('A' <= c && c <= 'F'); }

bool begins_with_hex(std::string_view text, std::size_t digits) {
  return text.size() >= digits && std::ranges::all_of(text.substr(0, digits), is_hex);
}

// The size of a leading UUID, in its form with dashes; 0 if there is none.
std::size_t uuid_at(std::string_view text) {
  std::size_t at = 0;
  for (const std::size_t digits : {8u, 4u, 4u, 4u, 12u}) {
    if (at > 0 && (at >= text.size() || text[at++] != '-')) return 0;
    if (!begins_with_hex(text.substr(at), digits)) return 0;
    at += digits;
  }
  return at;
}

// The name without the prefix by which the client of a recipe recognizes its node.
std::string_view without_mark(std::string_view name) {
  constexpr std::string_view mark = "_c_";
  constexpr std::size_t hex_digits = 32;
  if (name.starts_with(mark)) {
    const std::size_t uuid = uuid_at(name.substr(mark.size()));
    if (uuid > 0) return name.substr(mark.size() + uuid);
  }
  if (!begins_with_hex(name, hex_digits)) return name;
  name.remove_prefix(hex_digits);
  if (name.starts_with('-')) name.remove_prefix(1);
  return name;
}

}  // namespace

std::optional<Sibling> sibling_of(std::string_view name) {
  if (name.size() < number_digits) return std::nullopt;
  const std::string_view digits = name.substr(name.size() - number_digits);
  if (!std::ranges::all_of(digits, is_digit)) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : digits) number = number * 10 + static_cast<std::uint64_t>(c - '0');

  std::string_view rest = name.substr(0, name.size() - number_digits);
  const auto follows_a_word = [](std::string_view text) {
    return !text.empty() && (is_letter(text.back()) || is_digit(text.back()));
  };
  if (rest.ends_with('-') && !follows_a_word(rest.substr(0, rest.size() - 1))) {
    rest.remove_suffix(1);
    number = 0 - number;
  }
  return Sibling{static_cast<std::uint32_t>(number), without_mark(rest)};
}

std::optional<std::uint32_t> first_number(std::vector<std::uint32_t> numbers) {
  if (numbers.empty()) return std::nullopt;
  std::ranges::sort(numbers);
  const auto repeated = std::ranges::unique(numbers);
  numbers.erase(repeated.begin(), repeated.end());
  std::uint32_t last = numbers.back();  // of those that would begin with `first`
  for (const std::uint32_t first : numbers) {
    if (last - first < 0x8000'0000u) return first;
    last = first;
  }
  return std::nullopt;
}

}  // namespace znode
