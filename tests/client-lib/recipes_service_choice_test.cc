#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "client-lib/recipes/service_choice.h"

namespace zabkeeper {
namespace {

Instance instance(const std::string& owner, std::uint16_t weight = 1) {
  return {{owner, owner, "", {}, {}}, weight};
}

std::vector<Instance> three() { return {instance("a"), instance("b"), instance("c")}; }

std::string owner_of(const Instance* instance) {
  return instance == nullptr ? "none" : instance->member.owner;
}

// How often each instance is chosen in this many turns.
template <typename Choose>
std::map<std::string, int> counts_of(int turns, const Choose& choose) {
  std::map<std::string, int> counts;
  for (int turn = 0; turn < turns; ++turn) {
    counts[owner_of(choose(static_cast<std::uint64_t>(turn)))] += 1;
  }
  return counts;
}

}  // namespace

TEST_CASE("no instance is chosen where none has a weight") {
  for (const std::vector<Instance>& none : {std::vector<Instance>(), {instance("a", 0)}}) {
    CHECK(round_robin(none, 7) == nullptr);
    CHECK(weighted(none, 7) == nullptr);
    CHECK(sticky(none, "key") == nullptr);
  }
}

TEST_CASE("round robin chooses each instance as often as its weight says, in each round") {
  using Counts = std::map<std::string, int>;
  const std::vector<Instance> all = {instance("a", 5), instance("b"), instance("c", 2),
                                     instance("d", 0)};
  const auto choose = [&](std::uint64_t turn) { return round_robin(all, turn); };
  CHECK(counts_of(8, choose) == Counts{{"a", 5}, {"b", 1}, {"c", 2}});
  CHECK(counts_of(80, choose) == Counts{{"a", 50}, {"b", 10}, {"c", 20}});
  const std::vector<Instance> alike = three();
  const auto equal = [&](std::uint64_t turn) { return round_robin(alike, turn + 1000); };
  CHECK(counts_of(3, equal) == Counts{{"a", 1}, {"b", 1}, {"c", 1}});
  const std::vector<Instance> one = {instance("a")};
  CHECK(owner_of(round_robin(one, ~std::uint64_t{0})) == "a");
}

TEST_CASE("round robin does not choose a heavy instance many times in a row") {
  const std::vector<Instance> all = {instance("a", 10), instance("b", 10)};
  int longest = 0;
  int run = 0;
  std::string before;
  for (std::uint64_t turn = 0; turn < 40; ++turn) {
    const std::string owner = owner_of(round_robin(all, turn));
    run = owner == before ? run + 1 : 1;
    before = owner;
    longest = std::max(longest, run);
  }
  CHECK(longest == 2);
}

TEST_CASE("a weighted choice gives each instance its part of the random numbers") {
  using Counts = std::map<std::string, int>;
  const std::vector<Instance> all = {instance("a", 3), instance("b")};
  const auto choose = [&](std::uint64_t random) { return weighted(all, random); };
  CHECK(counts_of(400, choose) == Counts{{"a", 300}, {"b", 100}});
}

TEST_CASE("a choice does not depend on the order of the instances") {
  std::vector<Instance> reversed = three();
  std::ranges::reverse(reversed);
  for (std::uint64_t i = 0; i < 20; ++i) {
    const std::string key = std::to_string(i);
    CHECK(owner_of(round_robin(three(), i)) == owner_of(round_robin(reversed, i)));
    CHECK(owner_of(weighted(three(), i)) == owner_of(weighted(reversed, i)));
    CHECK(owner_of(sticky(three(), key)) == owner_of(sticky(reversed, key)));
  }
}

TEST_CASE("a sticky choice moves only the keys of the instance that leaves") {
  std::vector<Instance> fewer = three();
  fewer.erase(fewer.begin() + 1);
  int moved = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string key = std::to_string(i);
    const std::string before = owner_of(sticky(three(), key));
    const std::string after = owner_of(sticky(fewer, key));
    if (before == "b") {
      CHECK(after != "b");
      moved += 1;
    } else {
      CHECK(after == before);
    }
  }
  CHECK(60 < moved);
  CHECK(moved < 140);
}

TEST_CASE("a sticky choice gives an instance a part of the keys by its weight") {
  const std::vector<Instance> all = {instance("a", 3), instance("b")};
  const auto choose = [&](std::uint64_t key) { return sticky(all, "key" + std::to_string(key)); };
  auto counts = counts_of(4000, choose);
  CHECK(2800 < counts["a"]);
  CHECK(counts["a"] < 3200);
}

// Clients of other versions must choose the same.
TEST_CASE("a sticky choice stays the same in later versions") {
  std::string owners;
  for (const char* key : {"", "1", "2", "3", "4", "5", "6", "7"}) {
    owners += owner_of(sticky(three(), key));
  }
  CHECK(owners == "bbacbaac");
}

}  // namespace zabkeeper
