#include "znode/numbered_children.h"

#include <map>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/znode/by_numbers.h"
#include "tests/znode/world.h"

namespace znode {
namespace {

TEST_CASE("the first of the numbers is that which no other one is before") {
  struct Row {
    std::vector<std::uint32_t> numbers;
    std::optional<std::uint32_t> first;
  };
  const std::vector<Row> rows = {
      {{}, {}},
      {{7}, 7},
      {{7, 7}, 7},
      {{7, 9, 8}, 7},
      {{0x8000'0000u, 0x7fff'ffffu, 0x7fff'fffeu}, 0x7fff'fffeu},
      {{0, 0xffff'ffffu, 1}, 0xffff'ffffu},
      {{0, 0x7fff'ffffu}, 0},
      {{0, 0x8000'0000u}, {}},  // neither is before the other one
      {{0, 0x8000'0001u}, 0x8000'0001u},
      {{0, 0x5000'0000u, 0xa000'0000u}, {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.numbers.size());
    CHECK(first_number(row.numbers) == row.first);
  }
}

std::string listed(const wire::ChildrenReply& reply) {
  std::string text;
  for (const wire::Child& child : reply.children) text += child.name + ' ';
  return text + (reply.more ? "and more" : "");
}

TEST_CASE("children are listed by their numbers") {
  World world;
  world.create("/p");
  for (const char* name : {"b-0000000003", "a-0000000003", "z-0000000001", "plain", "y-0000000010",
                           "x--0000000002", "7"}) {
    world.create("/p/" + std::string(name));
  }
  struct Row {
    const char* after;
    const char* before;
    bool reverse;
    int limit;
    const char* listed;
  };
  const std::vector<Row> rows = {
      {"", "", false, 9, "x--0000000002 z-0000000001 a-0000000003 b-0000000003 y-0000000010 "},
      {"", "", true, 9, "y-0000000010 b-0000000003 a-0000000003 z-0000000001 x--0000000002 "},
      {"", "", false, 2, "x--0000000002 z-0000000001 and more"},
      {"", "", false, 5, "x--0000000002 z-0000000001 a-0000000003 b-0000000003 y-0000000010 "},
      {"", "", true, 1, "y-0000000010 and more"},
      {"", "", false, 0, "and more"},
      {"a-0000000003", "", false, 9, "b-0000000003 y-0000000010 "},
      {"none-0000000003", "", false, 9, "y-0000000010 "},
      {"Z-0000000003", "", false, 1, "a-0000000003 and more"},
      {"b-0000000003", "", true, 1, "y-0000000010 "},
      {"", "b-0000000003", false, 9, "x--0000000002 z-0000000001 a-0000000003 "},
      {"", "b-0000000003", true, 1, "a-0000000003 and more"},
      {"x--0000000002", "a-0000000003", false, 9, "z-0000000001 "},
      {"y-0000000010", "", false, 9, ""},
      {"", "x--0000000002", false, 9, ""},
      {"a-0000000005", "a-0000000004", false, 9, ""},
  };
  for (const Row& row : rows) {
    wire::ChildrenRequest request;
    request.path = "/p";
    request.order = wire::ChildOrder::sequence;
    if (*row.after) request.after = row.after;
    if (*row.before) request.before = row.before;
    request.reverse = row.reverse;
    request.limit = row.limit;
    CAPTURE(row.listed);
    ReplyBudget budget;
    CHECK(listed(*read(request, Caller(), world.tree(), budget)) == row.listed);
  }
}

TEST_CASE("a list by numbers needs bounds with numbers, and few children where there is no index") {
  World world;
  world.create("/p").create("/many");
  for (std::size_t i = 0; i <= sorted_children_max; ++i) world.create("/many/" + std::to_string(i));
  const auto error_of = [&](const wire::ChildrenRequest& request) {
    ReplyBudget budget;
    const auto reply = read(request, Caller(), world.tree(), budget);
    return reply ? wire::ErrorCode{} : reply.error().code;
  };
  wire::ChildrenRequest request;
  request.path = "/p";
  request.after = "plain";
  CHECK(error_of(request) == wire::ErrorCode{});
  request.order = wire::ChildOrder::sequence;
  CHECK(error_of(request) == wire::ErrorCode::bad_arguments);
  request.after.reset();
  request.before = "n-1";
  CHECK(error_of(request) == wire::ErrorCode::bad_arguments);
  request.before = "n-0000000001";
  CHECK(error_of(request) == wire::ErrorCode{});
  request.path = "/many";
  CHECK(error_of(request) == wire::ErrorCode::too_large);
}

TEST_CASE("a long name counts as several children in a list by numbers without an index") {
  World world;
  for (const bool are_long : {false, true}) {
    CAPTURE(are_long);
    const std::string path = are_long ? "/long" : "/short";
    world.create(path);
    const std::string name(are_long ? 4000 : 40, 'x');
    for (std::size_t i = 0; i < 200; ++i) {
      world.create(path + '/' + name + std::to_string(1'000'000'000 + i));
    }
    wire::ChildrenRequest request;
    request.path = path;
    request.order = wire::ChildOrder::sequence;
    ReplyBudget budget;
    CHECK(read(request, Caller(), world.tree(), budget).has_value() == !are_long);
    CHECK(world.plan(wire::MultiRequest{{request}}).has_value() == !are_long);
  }
}

TEST_CASE("sorted children are listed by numbers, as the definition says") {
  std::mt19937 random(1);
  for (int round = 0; round < 400; ++round) {
    CAPTURE(round);
    World world;
    world.create("/p");
    RandomNames names(random, number_centers[random() % 4], random() % 2 == 0);
    std::vector<std::string> children;
    for (int i = 0; i < 20; ++i) {
      const std::string name = names.any();
      if (world.tree().find("/p/" + name) != nullptr) continue;
      world.create("/p/" + name);
      children.push_back(name);
    }
    const SortedChildren sorted(world.tree().at("/p"));
    for (int i = 0; i < 20; ++i) {
      const wire::ChildrenRequest request = names.list("/p");
      const auto next = static_cast<std::int32_t>(random());
      std::vector<std::string> visited;
      sorted.visit(request, next, [&](std::string_view name) {
        visited.emplace_back(name);
        return true;
      });
      CHECK(visited == by_numbers(children, request, next));
    }
  }
}

}  // namespace
}  // namespace znode
