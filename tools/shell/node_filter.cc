#include "tools/shell/node_filter.h"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "tools/shell/tree_walk.h"

namespace shell {
namespace {

using std::chrono::milliseconds;

// A number with a unit after it. Nothing if the product is too large.
template <std::size_t size>
std::optional<std::uint64_t> number_with_unit(
    std::string_view text,
    const std::array<std::pair<std::string_view, std::uint64_t>, size>& units) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  for (const auto& [unit, factor] : units) {
    if (text != unit) continue;
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / factor) {
      return std::nullopt;
    }
    return number * factor;
  }
  return std::nullopt;
}

// The last part of a path. The name of the root is "/".
std::string_view name_in(std::string_view path) {
  return path.size() > 1 ? path.substr(path.rfind('/') + 1) : path;
}

}  // namespace

bool SizeTest::matches(std::uint64_t size) const {
  if (relation == Relation::less) return size < bytes;
  return relation == Relation::more ? size > bytes : size == bytes;
}

std::optional<SizeTest> parse_size_test(std::string_view text) {
  using Relation = SizeTest::Relation;
  Relation relation = Relation::equal;
  if (text.starts_with('+')) relation = Relation::more;
  if (text.starts_with('-')) relation = Relation::less;
  if (relation != Relation::equal) text.remove_prefix(1);
  constexpr std::array<std::pair<std::string_view, std::uint64_t>, 4> units{
      {{"", 1}, {"k", 1 << 10}, {"K", 1 << 10}, {"M", 1 << 20}}};
  const auto bytes = number_with_unit(text, units);
  if (!bytes) return std::nullopt;
  return SizeTest{relation, *bytes};
}

std::optional<milliseconds> parse_age(std::string_view text) {
  constexpr std::uint64_t second = 1'000, day = 24 * 3600 * second;
  constexpr std::array<std::pair<std::string_view, std::uint64_t>, 5> units{
      {{"s", second}, {"m", 60 * second}, {"h", 3600 * second}, {"d", day}, {"w", 7 * day}}};
  const auto time = number_with_unit(text, units);
  if (!time) return std::nullopt;
  return milliseconds(static_cast<std::int64_t>(*time));
}

std::optional<wire::SessionId> parse_session(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  wire::SessionId session;
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, session.value, 16);
  if (error != std::errc() || parsed != end || session.none()) return std::nullopt;
  return session;
}

bool NodeFilter::matches(const WalkedNode& node, wire::TimeMs now) const {
  if (name && !name->matches(name_in(node.path))) return false;
  if (ephemeral || owner || older || newer || size || contains) {
    if (!node.stat) return false;
    const wire::Stat& stat = *node.stat;
    if (ephemeral && stat.ephemeral_owner.none()) return false;
    if (owner && stat.ephemeral_owner != *owner) return false;
    const milliseconds age(now - stat.mtime);
    if (older && age <= *older) return false;
    if (newer && age >= *newer) return false;
    if (size && !size->matches(static_cast<std::uint64_t>(stat.data_length))) return false;
    if (contains && (!node.data || node.data->find(*contains) == wire::Bytes::npos)) return false;
  }
  return true;
}

}  // namespace shell
