#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include <ext/pb_ds/assoc_container.hpp>
#include <ext/pb_ds/tree_policy.hpp>

namespace session {

// The numbers of the children of one node, some of them several times: see znode/sibling.h. Each
// function takes logarithmic time.
class NumberSet {
 public:
  void add(std::uint32_t number) { numbers_.insert(first_of(number) + count(number)); }
  // No effect if it is not there.
  void remove(std::uint32_t number) {
    const std::size_t copies = count(number);
    if (copies > 0) numbers_.erase(first_of(number) + copies - 1);
  }
  [[nodiscard]] std::size_t size() const { return numbers_.size(); }

  // How many are before `number`, as znode::is_before says.
  [[nodiscard]] std::size_t before(std::uint32_t number) const {
    const std::uint32_t begin = number - half;  // the range may wrap
    const std::size_t below_end = below(number);
    return begin < number ? below_end - below(begin) : numbers_.size() - below(begin) + below_end;
  }

  // Whether `before` is an order of all numbers: they lie within half of the circle. Then `first`
  // is the number that no other one is before; 0 if there is none at all.
  [[nodiscard]] bool is_ordered(std::uint32_t& first) const {
    first = 0;
    if (numbers_.empty()) return true;
    const std::uint32_t least = number_of(*numbers_.begin());
    const std::uint32_t greatest = number_of(*numbers_.rbegin());
    first = least;
    if (greatest - least < half) return true;
    if (least >= half) return false;
    // They wrap if there is none in the half of the circle behind one of them.
    const auto next = numbers_.lower_bound(first_of(least + half));
    first = number_of(*next);
    return first - number_of(*numbers_.find_by_order(below(first) - 1)) > half;
  }

 private:
  static constexpr std::uint32_t half = 0x8000'0000u;

  // Each copy of a number is a key of its own.
  static constexpr std::uint64_t first_of(std::uint32_t number) {
    return std::uint64_t{number} << 32;
  }
  static constexpr std::uint32_t number_of(std::uint64_t key) {
    return static_cast<std::uint32_t>(key >> 32);
  }
  [[nodiscard]] std::size_t below(std::uint32_t number) const {
    return numbers_.order_of_key(first_of(number));
  }
  [[nodiscard]] std::size_t count(std::uint32_t number) const {
    return numbers_.order_of_key(first_of(number) | 0xffff'ffffu) - below(number);
  }

  using Keys =
      __gnu_pbds::tree<std::uint64_t, __gnu_pbds::null_type, std::less<>, __gnu_pbds::rb_tree_tag,
                       __gnu_pbds::tree_order_statistics_node_update>;
  Keys numbers_;
};

}  // namespace session
