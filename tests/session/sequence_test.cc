#include <memory>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/session/world.h"
#include "tests/znode/by_numbers.h"

// Lists of children with the order of their numbers.
namespace session {
namespace {

using wire::ErrorCode;

wire::ChildrenRequest list_request(const std::string& path) {
  wire::ChildrenRequest request;
  request.path = path;
  request.order = wire::ChildOrder::sequence;
  return request;
}

// The names, separated by spaces, "+" if there are more; or the error.
std::string text_of(const wire::ChildrenReply& reply) {
  std::string text;
  for (const wire::Child& child : reply.children) text += child.name + ' ';
  return text + (reply.more ? "+" : "");
}
std::string list(World& world, wire::SessionId session, const wire::ChildrenRequest& request) {
  const auto answer = world.service().read({session}, {}, request);
  if (!answer) return std::string(name(answer.error().code));
  return text_of(std::get<wire::ChildrenReply>(answer->reply));
}
std::string list_in_multi(World& world, wire::SessionId session,
                          const wire::ChildrenRequest& request) {
  const Applied applied = world.run(session, wire::MultiRequest{{request}});
  const auto& result = std::get<wire::MultiReply>(applied.reply).results.at(0);
  return text_of(std::get<wire::ChildrenReply>(*result));
}

std::string path_of(const std::string& folder, std::size_t number) {
  const std::string digits = std::to_string(number);
  return folder + "/n-" + std::string(10 - digits.size(), '0') + digits;
}
void create_many(World& world, wire::SessionId session, const std::string& folder,
                 std::size_t count) {
  world.create(session, folder);
  for (std::size_t i = 0; i < count; ++i) world.create(session, path_of(folder, i));
}

const EventSink ignore = [](wire::SessionId, wire::WatchEvent&&) { return true; };

TEST_CASE("lists by numbers are right after each change, alone and in a multi") {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    World world;
    world.set_level({3});
    const wire::SessionId session = world.open(1);
    world.create(session, "/q");
    znode::RandomNames names(random, znode::number_centers[seed % 4], seed % 3 == 0);
    std::vector<std::string> children;
    for (int step = 0; step < 60; ++step) {
      if (random() % 3 == 0 && !children.empty()) {
        const std::size_t at = random() % children.size();
        world.run(session, wire::DeleteRequest{"/q/" + children[at]});
        children.erase(children.begin() + static_cast<std::ptrdiff_t>(at));
      } else {
        const std::string name = names.any();
        if (world.service().tree().find("/q/" + name) != nullptr) continue;
        world.create(session, "/q/" + name);
        children.push_back(name);
      }
      const wire::ChildrenRequest request = names.list("/q");
      std::string expected;
      const std::int32_t next = world.service().tree().at("/q").creations;
      std::vector<std::string> all = znode::by_numbers(children, request, next);
      const bool more = request.limit && *request.limit < all.size();
      if (more) all.resize(*request.limit);
      for (const std::string& name : all) expected += name + ' ';
      if (more) expected += '+';
      CHECK(list(world, session, request) == expected);
      CHECK(list_in_multi(world, session, request) == expected);
    }
  }
}

TEST_CASE("a list by numbers in a multi sees what the multi does before it") {
  World world;
  world.set_level({3});
  const wire::SessionId session = world.open(1);
  create_many(world, session, "/q", 3);
  wire::CreateRequest create = create_request("/q/n-");
  create.sequential = true;
  const wire::ChildrenRequest children = list_request("/q");
  const Applied applied = world.run(
      session,
      wire::MultiRequest{{children, create, wire::DeleteRequest{path_of("/q", 1)}, children}});
  const auto& results = std::get<wire::MultiReply>(applied.reply).results;
  CHECK(text_of(std::get<wire::ChildrenReply>(*results[0])) ==
        "n-0000000000 n-0000000001 n-0000000002 ");
  CHECK(text_of(std::get<wire::ChildrenReply>(*results[3])) ==
        "n-0000000000 n-0000000002 n-0000000003 ");
}

TEST_CASE("who asks for a list by numbers is refused with the first error that applies") {
  World world;
  world.set_level({3});
  const wire::SessionId session = world.open(1);
  wire::CreateRequest closed = create_request("/closed");
  closed.acl = wire::Acl{{"digest", "bob:x", 31}};
  world.run(session, closed);
  CHECK(list(world, session, list_request("/none")) == "NoNode");
  CHECK(list(world, session, list_request("/closed")) == "NoAuth");
  wire::ChildrenRequest request = list_request("/");
  request.after = "zookeeper";
  CHECK(list(world, session, request) == "BadArguments");
  CHECK(refused(world.plan(session, wire::MultiRequest{{request}})) == ErrorCode::bad_arguments);
}

TEST_CASE("below level 3 a multi with a list by numbers is refused") {
  World world;
  world.set_level({3});
  const wire::SessionId session = world.open(1);
  CHECK(world.plan(session, wire::MultiRequest{{list_request("/")}}));
  world.apply_all();
  world.set_level({2});
  CHECK(refused(world.plan(session, wire::MultiRequest{{list_request("/")}})) ==
        ErrorCode::unimplemented);
}

TEST_CASE("the lists of a multi look at so many children in all") {
  World world;
  world.set_level({3});
  const wire::SessionId session = world.open(1);
  const std::size_t half = znode::sorted_children_max / 2;
  create_many(world, session, "/q", half);
  wire::ChildrenRequest request = list_request("/q");
  request.limit = 1;
  CHECK(world.plan(session, wire::MultiRequest{{request, request}}));
  CHECK(refused(world.plan(session, wire::MultiRequest{{request, request, request}})) ==
        ErrorCode::too_large);
  // A node that the same multi creates counts.
  CHECK(refused(world.plan(session, wire::MultiRequest{{create_request("/q/x"), request,
                                                        request}})) == ErrorCode::too_large);
}

TEST_CASE("a list by numbers waits while a large folder is indexed") {
  World world;
  Service& service = world.service();
  const wire::SessionId session = world.open(1);
  create_many(world, session, "/q", 2 * Turns::part_children + 10);
  wire::ChildrenRequest request = list_request("/q");
  request.limit = 1;
  request.reverse = true;
  CHECK_FALSE(service.awaited_index({session}, list_request("/none")));
  CHECK_FALSE(service.awaited_index({session}, wire::ExistsRequest{"/q", {}}));
  const auto index = service.awaited_index({session}, request);
  REQUIRE(index);
  CHECK(list(world, session, request) == "Overloaded");
  std::size_t parts = 0;
  while (!*index) {
    CHECK(service.index_turns(ignore).empty());
    parts += 1;
  }
  CHECK(parts == 2);
  CHECK_FALSE(service.awaited_index({session}, request));
  CHECK(list(world, session, request) == "n-0000008201 +");
}

TEST_CASE("an index that a list waits for is not dropped in favour of other folders") {
  World world;
  Service& service = world.service();
  const wire::SessionId session = world.open(1);
  create_many(world, session, "/q", Turns::part_children + 10);
  const auto index = service.awaited_index({session}, list_request("/q"));
  REQUIRE(index);
  for (int i = 0; i < 80; ++i) {  // more than stay indexed without use
    const std::string folder = "/other" + std::to_string(i);
    world.create(session, folder);
    CHECK(list(world, session, list_request(folder)).empty());
  }
  CHECK_FALSE(*index);
  CHECK(service.index_turns(ignore).empty());
  CHECK(*index);
  CHECK_FALSE(service.awaited_index({session}, list_request("/q")));
}

// A budget without room for the whole index, or from some moment on for more of it.
class TightBudget : public WatchBudget {
 public:
  wire::Result<void> check(wire::SessionId, std::size_t) override { return {}; }
  void set(wire::SessionId, std::size_t) override {}
  wire::Result<void> check_indexes(std::size_t bytes) override {
    if (bytes <= limit) return {};
    return wire::Error{ErrorCode::too_many_watches, "no room"};
  }
  void count_refused_index() override { refused += 1; }
  void set_indexes(std::size_t bytes) override {
    used = bytes;
    CHECK(used <= limit);
  }

  std::size_t limit = 0;
  std::size_t used = 0;
  std::size_t refused = 0;
};

Service::Options options_with(TightBudget& budget) {
  Service::Options options;
  options.watches.budget = &budget;
  return options;
}

std::string ask_for_turn(World& world, wire::SessionId session, const std::string& path) {
  wire::WatchRequest request;
  request.path = path;
  request.scope = wire::WatchScope::turn;
  const auto answer = world.service().read({session}, {"1"}, request);
  if (!answer) return std::string(name(answer.error().code));
  return *std::get<wire::WatchReply>(answer->reply).turn ? "turn" : "waits";
}

TEST_CASE("a list by numbers is refused while the budget has no room for the index") {
  TightBudget budget;
  World world(options_with(budget));
  Service& service = world.service();
  const wire::SessionId session = world.open(1);
  const std::size_t count = Turns::part_children + 10;
  create_many(world, session, "/q", count);
  CHECK_FALSE(service.awaited_index({session}, list_request("/q")));
  CHECK(list(world, session, list_request("/q")) == "TooManyWatches");
  CHECK(budget.used == 0);

  budget.limit = 10'000'000;
  auto index = service.awaited_index({session}, list_request("/q"));
  REQUIRE(index);
  CHECK(budget.used >= Turns::part_children * SiblingSet::bytes_of("n-0000000000"));
  budget.limit = budget.used;  // others have taken the rest
  CHECK(service.index_turns(ignore).empty());
  CHECK_FALSE(*index);
  index.reset();
  CHECK_FALSE(service.awaited_index({session}, list_request("/q")));
  CHECK(list(world, session, list_request("/q")) == "TooManyWatches");

  budget.limit = 10'000'000;  // there is room again, for the last part
  CHECK_FALSE(service.awaited_index({session}, list_request("/q")));
  CHECK(list(world, session, list_request("/q")).starts_with("n-0000000000 "));
}

TEST_CASE("an index that nothing uses is dropped, and is charged until then") {
  TightBudget budget;
  budget.limit = 1'000'000;
  World world(options_with(budget));
  const wire::SessionId session = world.open(1);
  create_many(world, session, "/q", 2);
  CHECK(budget.used == 0);
  CHECK(list(world, session, list_request("/q")) == "n-0000000000 n-0000000001 ");
  CHECK(budget.used > 0);
  for (std::uint64_t i = 0; i <= Turns::unused_ticks; ++i) {
    CHECK(budget.used > 0);
    CHECK(world.service().tick_turns(ignore).empty());
  }
  CHECK(budget.used == 0);
}

TEST_CASE(
    "the memory of a large index that is dropped becomes free in parts, and is charged until "
    "then") {
  TightBudget budget;
  budget.limit = 10'000'000;
  World world(options_with(budget));
  Service& service = world.service();
  const wire::SessionId session = world.open(1);
  create_many(world, session, "/q", 2 * Turns::part_children + 10);
  CHECK(ask_for_turn(world, session, path_of("/q", 0)) == "waits");
  while (service.watches().is_indexing_turns()) CHECK(service.index_turns(ignore).empty());
  CHECK(service.watches().size() == 0);  // its turn was told
  CHECK(service.watches().indexed_children() == 2 * Turns::part_children + 10);

  const std::size_t all = budget.used;
  for (std::uint64_t i = 0; i <= Turns::unused_ticks; ++i) {
    CHECK_FALSE(service.watches().is_indexing_turns());
    CHECK(service.tick_turns(ignore).empty());
  }
  CHECK(budget.used == all);
  std::size_t parts = 0;
  for (; service.watches().is_indexing_turns(); ++parts) {
    const std::size_t before = budget.used;
    CHECK(service.index_turns(ignore).empty());
    CHECK(budget.used <= before);
    CHECK(before - budget.used <= Turns::part_children * Turns::child_bytes);
  }
  CHECK(parts >= 3);
  CHECK(budget.used == 0);
}

TEST_CASE("the index of a list is dropped when its folder grows beyond the budget") {
  TightBudget budget;
  budget.limit = 2000;
  World world(options_with(budget));
  const wire::SessionId session = world.open(1);
  create_many(world, session, "/q", 1);
  CHECK(list(world, session, list_request("/q")) == "n-0000000000 ");
  CHECK(budget.used > 0);
  world.create(session, "/q/" + std::string(2000, 'n') + "-0000000001");
  CHECK(budget.used == 0);
  CHECK(list(world, session, list_request("/q")) == "TooManyWatches");
  CHECK(budget.refused == 1);
}

TEST_CASE("who waits for a turn is told to ask again when the folder grows beyond the budget") {
  TightBudget budget;
  budget.limit = 2000;
  World world(options_with(budget));
  const wire::SessionId session = world.open(1);
  create_many(world, session, "/q", 2);
  CHECK(ask_for_turn(world, session, path_of("/q", 1)) == "waits");
  std::string told;
  for (std::size_t i = 2; told.empty() && i < 100; ++i) {
    const Applied applied = world.run(session, create_request(path_of("/q", i)));
    for (const Delivery& each : applied.events) told += name(each.event.kind);
  }
  CHECK(told == "resync");
  CHECK(budget.used == 0);
  CHECK(world.service().watches().size() == 0);
}

TEST_CASE("who waits for a turn is told to ask again when a folder has no room to be indexed") {
  TightBudget budget;
  const std::size_t count = Turns::part_children + 10;
  budget.limit = count * Turns::child_bytes + 10 * Turns::kind_bytes;
  World world(options_with(budget));
  const wire::SessionId session = world.open(1);
  world.create(session, "/q");
  for (std::size_t i = 0; i < count; ++i) {  // each is of a kind of its own
    world.create(session, "/q/" + std::to_string(i) + "-0000000000");
  }
  CHECK(ask_for_turn(world, session, "/q/0-0000000000") == "waits");
  std::string told;
  const EventSink sink = [&](wire::SessionId, wire::WatchEvent&& event) {
    told += name(event.kind);
    return true;
  };
  CHECK(world.service().index_turns(sink).empty());
  CHECK(told == "resync");
  CHECK(budget.used > 0);  // its memory becomes free in parts
  while (world.service().watches().is_indexing_turns()) world.service().index_turns(sink);
  CHECK(budget.used == 0);
}

TEST_CASE("indexes that nobody waits for are dropped when another one needs their room") {
  TightBudget budget;
  budget.limit = 4 * SiblingSet::bytes_of("n-0000000000");
  World world(options_with(budget));
  const wire::SessionId session = world.open(1);
  create_many(world, session, "/a", 3);
  create_many(world, session, "/b", 3);
  CHECK(list(world, session, list_request("/a")).starts_with("n-0000000000 "));
  CHECK(list(world, session, list_request("/b")).starts_with("n-0000000000 "));
  CHECK(list(world, session, list_request("/a")).starts_with("n-0000000000 "));
  CHECK(budget.refused == 0);
}

TEST_CASE("a folder is indexed although another one that is not has no room") {
  TightBudget budget;
  budget.limit = 20'000'000;
  World world(options_with(budget));
  Service& service = world.service();
  const wire::SessionId session = world.open(1);
  create_many(world, session, "/large", Turns::part_children + 10);
  world.create(session, "/large/" + std::string(4000, 'x') + "-0000000001");
  create_many(world, session, "/other", Turns::part_children + 1);
  const auto large = service.awaited_index({session}, list_request("/large"));
  const auto other = service.awaited_index({session}, list_request("/other"));
  REQUIRE(other);
  budget.limit = budget.used + 12 * SiblingSet::bytes_of("n-0000000000");
  for (int i = 0; i < 2; ++i) CHECK(service.index_turns(ignore).empty());
  CHECK_FALSE(*large);
  CHECK(*other);
}

}  // namespace
}  // namespace session
