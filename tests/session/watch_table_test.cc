#include "session/watch_table.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "session/watches.h"
#include "tests/znode/collisions.h"
#include "tests/znode/printing.h"

namespace session {
namespace {

using wire::EventKind;
using wire::RequestId;

// Many more watches than the hash table's initial buckets.
TEST_CASE("thousands of watches on a hundred paths are found in the order in which they were set") {
  Watches watches({});
  constexpr std::uint64_t sessions = 7;
  constexpr std::uint64_t count = 7000;
  const auto path_of = [](std::uint64_t i) { return "/" + std::to_string(i % 100); };
  const auto id_of = [](std::uint64_t i) { return RequestId{std::to_string(i)}; };
  std::uint64_t zxid = 0;
  const auto expect = [&](auto&& is_set) {
    for (std::uint64_t number = 0; number < 100; ++number) {
      std::vector<std::string> expected;
      for (std::uint64_t i = number; i < count; i += 100) {
        if (is_set(i)) expected.push_back(id_of(i).json);
      }
      std::vector<std::string> reported;
      const auto report = [&](wire::SessionId session, wire::WatchEvent&& event) {
        CHECK(session.value == 1 + std::stoull(event.watch.json) % sessions);
        reported.push_back(event.watch.json);
        return true;
      };
      watches.fire({{1}, ++zxid}, {{EventKind::changed, path_of(number), {}, {}, {}}}, report);
      CHECK(reported == expected);
    }
  };

  for (std::uint64_t i = 0; i < count; ++i) {
    Watch watch;
    watch.path = path_of(i);
    watch.interest = {.changed = true};
    if (i % 3 == 0) watch.reach = Watch::Reach::subtree;
    REQUIRE(watches.add({1 + i % sessions}, id_of(i), watch));
  }
  expect([](std::uint64_t) { return true; });
  for (std::uint64_t i = 0; i < count; i += 2) {
    REQUIRE(watches.remove({1 + i % sessions}, id_of(i)));
  }
  expect([](std::uint64_t i) { return i % 2 == 1; });
  watches.remove_session({1});
  expect([](std::uint64_t i) { return i % 2 == 1 && i % sessions != 0; });
  CHECK(watches.size() == 3000);
  watches.begin_after({{2}, 0});
  CHECK(watches.size() == 0);
}

TEST_CASE("all watched paths are listed page by page, also while watches are set") {
  WatchTable table;
  std::uint64_t id = 0;
  const auto add = [&](const std::string& path, Watch::Reach reach, std::uint64_t sessions) {
    for (std::uint64_t session = 1; session <= sessions; ++session) {
      Watch watch;
      watch.path = path;
      watch.reach = reach;
      table.add({session}, {}, RequestId{std::to_string(++id)}, watch);
    }
  };
  CHECK(table.page(0, 10).paths.empty());
  constexpr std::size_t paths = 1000;
  for (std::size_t i = 0; i < paths; ++i)
    add("/" + std::to_string(i), Watch::Reach::node, 1 + i % 3);
  add("/7", Watch::Reach::subtree, 5);
  CHECK(table.paths() == paths + 1);

  std::map<std::pair<std::string, bool>, std::size_t> found;
  std::size_t pages = 0;
  for (std::optional<std::size_t> position = 0; position;) {
    const WatchPage page = table.page(*position, 100);
    CHECK(page.paths.size() < 200);
    for (const PathWatches& each : page.paths) {
      found[{each.path, each.reach == Watch::Reach::subtree}] = each.watches;
    }
    if (page.next) CHECK(*page.next > *position);
    position = page.next;
    // The table grows meanwhile, and no path that was there before is missed.
    add("/new" + std::to_string(pages++), Watch::Reach::node, 300);
  }
  CHECK(pages >= 6);
  for (std::size_t i = 0; i < paths; ++i) {
    CHECK(found[{"/" + std::to_string(i), false}] == 1 + i % 3);
  }
  CHECK(found[{"/7", true}] == 5);
  // A path with very many watches is one path.
  add("/0", Watch::Reach::node, 20'000);
  const WatchPage all = table.page(0, 1'000'000);
  CHECK(std::ranges::count(all.paths, PathWatches{"/0", Watch::Reach::node, 20'001}) == 1);
  table.suspend({1});
  CHECK(table.page(0, 1'000'000).paths.size() < all.paths.size());
}

TEST_CASE("watches are found by path and by id with the key of the table") {
  constexpr std::size_t keys = 5'000;
  const std::vector<std::string> texts = znode::colliding_texts(keys, 250);
  enum class Collide { paths, paths_of_subtrees, ids };
  for (const Collide collide : {Collide::paths, Collide::paths_of_subtrees, Collide::ids}) {
    CAPTURE(static_cast<int>(collide));
    const auto path_of = [&](std::size_t i) {
      return collide == Collide::ids ? "/" + std::to_string(i) : texts[i];
    };
    const auto id_of = [&](std::size_t i) {
      return RequestId{collide == Collide::ids ? texts[i] : std::to_string(i)};
    };
    CHECK(znode::slowdown_of_fixed_key([&](const znode::HashKey& key) {
            WatchTable table(key);
            for (std::size_t i = 0; i < keys; ++i) {
              Watch watch;
              watch.path = path_of(i);
              watch.interest = {.changed = true};
              if (collide == Collide::paths_of_subtrees) watch.reach = Watch::Reach::subtree;
              table.add({1}, {}, id_of(i), watch);
            }
            std::vector<const SetWatch*> found;
            for (std::size_t i = 0; i < keys; i += 10) {
              REQUIRE(table.find({1}, id_of(i).json) != nullptr);
              table.find(path_of(i), EventKind::changed, found);
              REQUIRE(found.size() == 1);
              found.clear();
            }
          }) > 10);
  }
}

}  // namespace
}  // namespace session
