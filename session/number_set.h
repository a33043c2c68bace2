#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>

#include <ext/pb_ds/assoc_container.hpp>
#include <ext/pb_ds/tree_policy.hpp>

namespace session {

// The numbers of the children of one node, some of them several times: see znode/sibling.h. A label
// distinguishes equal numbers; the default label comes before all others. Each function takes
// logarithmic time.
template <class Label>
class LabelledNumbers {
 public:
  [[nodiscard]] std::size_t size() const { return keys_.size(); }

  // How many are before `number`, as znode::is_before says.
  [[nodiscard]] std::size_t before(std::uint32_t number) const {
    const std::uint32_t begin = number - half;  // the range may wrap
    const std::size_t below_end = below(number);
    return begin < number ? below_end - below(begin) : size() - below(begin) + below_end;
  }

  // Whether `before` is an order of all numbers: they lie within half of the circle. Then `first`
  // is the number that no other one is before; 0 if there is none at all.
  [[nodiscard]] bool is_ordered(std::uint32_t& first) const {
    first = 0;
    if (keys_.empty()) return true;
    const std::uint32_t least = keys_.begin()->first;
    const std::uint32_t greatest = keys_.rbegin()->first;
    first = least;
    if (greatest - least < half) return true;
    if (least >= half) return false;
    // They wrap if there is none in the half of the circle behind one of them.
    first = keys_.lower_bound({least + half, {}})->first;
    return first - keys_.find_by_order(below(first) - 1)->first > half;
  }

 protected:
  using Keys =
      __gnu_pbds::tree<std::pair<std::uint32_t, Label>, __gnu_pbds::null_type, std::less<>,
                       __gnu_pbds::rb_tree_tag, __gnu_pbds::tree_order_statistics_node_update>;

  // How many have a lower number, in the order of unsigned numbers.
  [[nodiscard]] std::size_t below(std::uint32_t number) const {
    return keys_.order_of_key({number, {}});
  }

  Keys keys_;

 private:
  static constexpr std::uint32_t half = 0x8000'0000u;
};

// Only the numbers: the label counts the copies of each.
class NumberSet : public LabelledNumbers<std::uint32_t> {
 public:
  // Removes `most` numbers at most. Returns how many.
  std::size_t drop(std::size_t most) {
    std::size_t dropped = 0;
    for (; dropped < most && !keys_.empty(); ++dropped) keys_.erase(keys_.begin());
    return dropped;
  }
  void add(std::uint32_t number) { keys_.insert({number, count(number)}); }
  // No effect if it is not there.
  void remove(std::uint32_t number) {
    const std::uint32_t copies = count(number);
    if (copies > 0) keys_.erase({number, copies - 1});
  }

 private:
  [[nodiscard]] std::uint32_t count(std::uint32_t number) const {
    const std::size_t end = keys_.order_of_key({number, std::numeric_limits<std::uint32_t>::max()});
    return static_cast<std::uint32_t>(end - below(number));
  }
};

}  // namespace session
