#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

// The order among the children of one node that turns and locks rest on.
namespace znode {

// The place of a node among its siblings, as the name of the node says it. The name may have been
// chosen by a client, or by a recipe of another system.
struct Sibling {
  // The last ten characters of the name, if all of them are digits, modulo 2^32. Negative if a `-`
  // that follows no letter or digit is before them: so are the names that a counter makes after
  // 2147483647.
  std::uint32_t number = 0;
  // The rest of the name, without that sign, and without a leading `_c_` and UUID (Curator), or 32
  // hex digits with or without a `-` behind them (kazoo).
  std::string_view kind;

  bool operator==(const Sibling&) const = default;
};

// Nothing if the name has no number. `name` must outlive the result.
[[nodiscard]] std::optional<Sibling> sibling_of(std::string_view name);

// Whether the node with number `a` is before the one with number `b`. Equal numbers are not before
// each other. A counter that wraps is no exception: 2147483647 is before -2147483648.
[[nodiscard]] constexpr bool is_before(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b) < 0;
}

}  // namespace znode
