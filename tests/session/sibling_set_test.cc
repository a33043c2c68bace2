#include "session/sibling_set.h"

#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/znode/by_numbers.h"

namespace session {
namespace {

TEST_CASE("a set of siblings lists them by their numbers, as the definition says") {
  std::mt19937 random(1);
  for (int round = 0; round < 400; ++round) {
    CAPTURE(round);
    const bool is_wide = random() % 2 == 0;
    znode::RandomNames names(random, znode::number_centers[random() % 4], is_wide);
    SiblingSet set;
    std::vector<std::string> list;
    for (int step = 0; step < 40; ++step) {
      if (!list.empty() && random() % 3 == 0) {
        const std::size_t at = random() % list.size();
        set.remove(znode::sibling_of(list[at])->number, list[at]);
        list.erase(list.begin() + static_cast<std::ptrdiff_t>(at));
      } else {
        const std::string name = names.numbered();
        if (std::ranges::find(list, name) == list.end()) list.push_back(name);
        set.add(znode::sibling_of(name)->number, name);
      }
      std::size_t bytes = 0;
      for (const std::string& name : list) bytes += SiblingSet::bytes_of(name);
      CHECK(set.size() == list.size());
      CHECK(set.bytes() == bytes);

      const wire::ChildrenRequest request = names.list("/p");
      const auto next = static_cast<std::int32_t>(random());
      std::vector<std::string> visited;
      set.visit(request, next, [&](std::string_view name) {
        visited.emplace_back(name);
        return !request.limit || visited.size() < *request.limit;
      });
      std::vector<std::string> expected = znode::by_numbers(list, request, next);
      if (request.limit && *request.limit < expected.size()) {
        expected.resize(std::max<std::size_t>(*request.limit, 1));
      }
      CHECK(visited == expected);
    }
  }
}

TEST_CASE("removing a sibling that is not there changes nothing") {
  SiblingSet set;
  set.add(5, "a-0000000005");
  set.remove(5, "b-0000000005");
  CHECK(set.size() == 1);
  CHECK(set.before(6) == 1);
}

}  // namespace
}  // namespace session
