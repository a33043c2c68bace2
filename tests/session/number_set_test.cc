#include "session/number_set.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "znode/sibling.h"

namespace session {
namespace {

// Whether some number comes first, and all others follow within half of the circle.
bool have_order(const std::vector<std::uint32_t>& numbers, std::uint32_t& first) {
  first = 0;
  if (numbers.empty()) return true;
  for (const std::uint32_t begin : numbers) {
    if (std::ranges::all_of(numbers, [&](auto each) { return each - begin < 0x8000'0000u; })) {
      first = begin;
      return true;
    }
  }
  return false;
}

TEST_CASE("a set of numbers counts the numbers before a given one, as a list would") {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    NumberSet set;
    std::vector<std::uint32_t> list;
    // Around one place, so that most sets have an order; the places are where numbers wrap.
    const std::uint32_t center = std::vector{0u, 0x7fff'fff0u, 0x8000'0000u, 1000u}[random() % 4];
    const std::uint32_t spread = std::vector{8u, 1000u, 0x7000'0000u, 0xffff'ffffu}[random() % 4];
    for (int step = 0; step < 40; ++step) {
      if (!list.empty() && random() % 3 == 0) {
        const std::size_t at = random() % list.size();
        set.remove(list[at]);
        list.erase(list.begin() + static_cast<std::ptrdiff_t>(at));
      } else {
        list.push_back(center + static_cast<std::uint32_t>(random() % spread));
        set.add(list.back());
      }
      CHECK(set.size() == list.size());
      const std::uint32_t number = center + static_cast<std::uint32_t>(random() % spread);
      const auto before = std::ranges::count_if(
          list, [&](std::uint32_t each) { return znode::is_before(each, number); });
      CHECK(set.before(number) == static_cast<std::size_t>(before));

      std::uint32_t expected = 0;
      std::uint32_t first = 0;
      CHECK(set.is_ordered(first) == have_order(list, expected));
      if (set.is_ordered(first)) CHECK(first == expected);
    }
  }
}

TEST_CASE("removing a number that is not there changes nothing") {
  NumberSet set;
  set.add(5);
  set.add(5);
  set.remove(4);
  CHECK(set.size() == 2);
  set.remove(5);
  CHECK(set.before(6) == 1);
}

}  // namespace
}  // namespace session
