#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/requests.h"
#include "znode/sibling.h"

// What a list of children by their numbers must be, found without any index; and random names.
namespace znode {

// A place in the order, for comparisons.
class NumberPlaces {
 public:
  NumberPlaces(const std::vector<std::string>& names, std::int32_t next)
      : next_(static_cast<std::uint32_t>(next)) {
    std::vector<std::uint32_t> numbers;
    for (const std::string& name : names) {
      if (const auto sibling = sibling_of(name)) numbers.push_back(sibling->number);
    }
    for (const std::uint32_t first : numbers) {
      const auto follows = [&](std::uint32_t each) {
        return each == first || is_before(first, each);
      };
      if (std::ranges::all_of(numbers, follows)) first_ = first;
    }
  }
  [[nodiscard]] std::pair<std::int64_t, std::string> of(const std::string& name) const {
    const std::uint32_t number = sibling_of(name)->number;
    if (first_) return {static_cast<std::int32_t>(number - *first_), name};
    return {std::int64_t{number - next_}, name};
  }

 private:
  std::uint32_t next_;
  std::optional<std::uint32_t> first_;  // none: the numbers have no order of their own
};

inline std::vector<std::string> by_numbers(std::vector<std::string> names,
                                           const wire::ChildrenRequest& request,
                                           std::int32_t next) {
  const NumberPlaces places(names, next);
  std::erase_if(names, [&](const std::string& name) {
    return !sibling_of(name) || (request.after && places.of(name) <= places.of(*request.after)) ||
           (request.before && places.of(name) >= places.of(*request.before));
  });
  std::ranges::sort(names, {}, [&](const std::string& name) { return places.of(name); });
  if (request.reverse) std::ranges::reverse(names);
  return names;
}

// Half of the names are near `center`; the others anywhere on the circle if `is_wide`.
class RandomNames {
 public:
  RandomNames(std::mt19937& random, std::uint32_t center, bool is_wide)
      : random_(random), center_(center), is_wide_(is_wide) {}

  std::string numbered() {
    auto number = static_cast<std::int32_t>(center_ + static_cast<std::uint32_t>(random_() % 12));
    if (is_wide_ && random_() % 2 == 0) number = static_cast<std::int32_t>(random_());
    const bool is_negative = number < 0;
    std::string digits = std::to_string(number).substr(is_negative ? 1 : 0);
    digits.insert(0, 10 - digits.size(), '0');
    const char* kinds[] = {"n-", "a_very_long_kind_of_lock-", "", "x."};
    // No sign follows a letter.
    return kinds[random_() % 4] + std::string(is_negative ? "-" : "") + digits;
  }
  std::string any() {
    const char* others[] = {"plain", "n-", "123456789", "n-00000000a1"};
    return random_() % 6 == 0 ? others[random_() % 4] : numbered();
  }
  wire::ChildrenRequest list(const std::string& path) {
    wire::ChildrenRequest request;
    request.path = path;
    request.order = wire::ChildOrder::sequence;
    request.reverse = random_() % 2 == 0;
    if (random_() % 2 == 0) request.after = numbered();
    if (random_() % 2 == 0) request.before = numbered();
    if (random_() % 2 == 0) request.limit = random_() % 8;
    return request;
  }

 private:
  std::mt19937& random_;
  std::uint32_t center_;
  bool is_wide_;
};

// Where numbers begin, and where they wrap.
inline constexpr std::uint32_t number_centers[] = {0u, 100u, 0x7fff'fffau, 0xffff'fffau};

}  // namespace znode
