#include "server/pipeline/level_changes.h"

#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace server::test {
namespace {

constexpr wire::LevelRange at_0{{0}, {0}};
constexpr wire::LevelRange to_1{{0}, {1}};
constexpr wire::LevelRange to_2{{0}, {2}};
constexpr wire::LevelRange from_1{{1}, {2}};

TEST_CASE("the level can be set if every server is linked and can run at it") {
  struct Row {
    std::vector<ServerLevels> servers;
    std::uint32_t level;
    std::string why_not;  // empty: it can be set
  };
  const Row rows[] = {
      {{{1, to_1}}, 1, ""},
      {{{1, to_1}, {2, to_1}, {3, to_2}}, 1, ""},
      {{{1, to_1}, {2, to_1}, {3, at_0}},
       1,
       "server 3 can run at level 0 only: start it with a program that can run at level 1"},
      {{{1, to_1}, {2, std::nullopt}, {3, to_1}},
       1,
       "server 2 has no link with the leader: start it with a program that can run at level 1"},
      {{{1, to_2}, {2, to_1}},
       2,
       "server 2 can run at levels 0 to 1 only: start it with a program that can run at level 2"},
      {{{1, to_1}, {2, from_1}},
       0,
       "server 2 can run at levels 1 to 2 only: start it with a program that can run at level 0"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why_not);
    const auto possible = all_can_run_at({row.level}, row.servers);
    CHECK((possible ? std::string() : possible.error().message) == row.why_not);
  }
}

TEST_CASE("the next level is the greatest one that all servers know") {
  struct Row {
    std::vector<ServerLevels> servers;
    std::uint32_t now;
    std::optional<std::uint32_t> next;
  };
  const Row rows[] = {
      {{{1, to_1}}, 0, 1},
      {{{1, to_1}}, 1, {}},
      {{{1, to_2}, {2, to_2}}, 0, 2},
      {{{1, to_2}, {2, to_1}}, 0, 1},
      {{{1, to_2}, {2, at_0}}, 0, {}},
      {{{1, to_2}, {2, std::nullopt}}, 0, {}},
      {{{1, at_0}, {2, from_1}}, 0, {}},  // no level is in both ranges
      {{}, 0, {}},
  };
  for (const Row& row : rows) {
    const auto next = next_level({row.now}, row.servers);
    CHECK((next ? std::optional(next->value) : std::nullopt) == row.next);
  }
}

}  // namespace
}  // namespace server::test
