#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

// The order among the children of one node that turns and locks rest on.
namespace znode {

// The place of a node among its siblings, as the name of the node says it. The name may have been
// chosen by a client, or by a recipe of another system.
struct Sibling {
  // The last ten characters of the name, if all of them are digits, modulo 2^32. Negative if a `-`
  // is directly before the digits, and no letter or digit is before the `-`. A counter makes such
  // names after 2147483647.
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

// The number that no other one is before, if all numbers lie within half of the circle. None if
// they do not, or if there is no number.
[[nodiscard]] std::optional<std::uint32_t> first_number(std::vector<std::uint32_t> numbers);

// An order of all numbers in one folder. If they lie within half of the circle, it is that of
// `is_before`. If they do not, `is_before` is no order. Then the list starts at the next number of
// the parent and goes once around. So the number that was given last is the last one.
class NumberOrder {
 public:
  // `first`: see first_number. `next`: the number that the next sequential child gets.
  constexpr NumberOrder(std::optional<std::uint32_t> first, std::int32_t next)
      : begin_(first ? *first - 0x8000'0000u : static_cast<std::uint32_t>(next)) {}

  // The number at place 0.
  [[nodiscard]] constexpr std::uint32_t begin() const { return begin_; }
  // A number with a lower place comes first.
  [[nodiscard]] constexpr std::uint32_t place(std::uint32_t number) const {
    return number - begin_;
  }

 private:
  std::uint32_t begin_;
};

}  // namespace znode
