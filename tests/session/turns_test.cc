#include "session/turns.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "tests/session/watching.h"
#include "tests/session/world.h"
#include "znode/path.h"
#include "znode/sibling.h"

namespace session {
namespace {

using wire::ErrorCode;
using wire::TurnOptions;

wire::WatchRequest turn_request(const std::string& path, const TurnOptions& options = {}) {
  wire::WatchRequest request = watch_request(path, wire::WatchScope::turn);
  request.turn = options;
  return request;
}

// "true" or "false", or the error.
std::string ask(World& world, wire::SessionId session, const std::string& id,
                const wire::WatchRequest& request) {
  const auto answer = world.service().read({session}, {id}, request);
  if (!answer) return std::string(name(answer.error().code));
  CHECK(answer->events.empty());
  return *std::get<wire::WatchReply>(answer->reply).turn ? "true" : "false";
}

// A folder with two nodes that have numbers.
void create_queue(World& world, wire::SessionId session) {
  for (const char* path : {"/q", "/q/n-0000000001", "/q/n-0000000002"}) world.create(session, path);
}

TEST_CASE("a node that waits gets its turn when those before it are gone") {
  World world;
  const wire::SessionId session = world.open(1);
  world.create(session, "/q");
  for (const char* path : {"/q/a-0000000001", "/q/a-0000000002", "/q/b-0000000003", "/q/plain"}) {
    world.create(session, path);
  }
  CHECK(ask(world, session, "1", turn_request("/q/a-0000000001")) == "true");
  CHECK(ask(world, session, "2", turn_request("/q/a-0000000002")) == "false");
  CHECK(ask(world, session, "3", turn_request("/q/b-0000000003")) == "false");
  CHECK(ask(world, session, "4", turn_request("/q/b-0000000003", {2, {}})) == "false");
  CHECK(ask(world, session, "5", turn_request("/q/b-0000000003", {3, {}})) == "true");
  CHECK(ask(world, session, "6", turn_request("/q/b-0000000003", {1, {"b-"}})) == "true");
  CHECK(ask(world, session, "7", turn_request("/q/b-0000000003", {1, {"a-", "none"}})) == "false");
  CHECK(world.service().watches().size() == 4);

  CHECK(events_text(world.run(session, wire::DeleteRequest{"/q/plain"})).empty());
  CHECK(events_text(world.run(session, wire::DeleteRequest{"/q/a-0000000001"})) ==
        "turn /q/a-0000000002, turn /q/b-0000000003");
  CHECK(events_text(world.run(session, wire::DeleteRequest{"/q/a-0000000002"})) ==
        "turn /q/b-0000000003, turn /q/b-0000000003");
  CHECK(world.service().watches().size() == 0);
}

TEST_CASE(
    "a node that is deleted while it waits has the event deleted, and the next one its turn") {
  World world;
  const wire::SessionId session = world.open(1);
  world.create(session, "/q");
  for (const char* path : {"/q/n-0000000001", "/q/n-0000000002", "/q/n-0000000003"}) {
    world.create(session, path);
  }
  CHECK(ask(world, session, "2", turn_request("/q/n-0000000002")) == "false");
  CHECK(ask(world, session, "3", turn_request("/q/n-0000000003")) == "false");
  CHECK(events_text(world.run(session, wire::DeleteRequest{"/q/n-0000000002"})) ==
        "deleted /q/n-0000000002");
  CHECK(events_text(world.run(session, wire::DeleteRequest{"/q/n-0000000001"})) ==
        "turn /q/n-0000000003");
}

TEST_CASE("a turn comes after the other events of its transaction") {
  World world;
  const wire::SessionId session = world.open(1);
  create_queue(world, session);
  CHECK(ask(world, session, "1", turn_request("/q/n-0000000002")) == "false");
  REQUIRE(world.service().read({session}, {"2"}, watch_request("/q", wire::WatchScope::subtree)));
  CHECK(events_text(world.run(session, wire::DeleteRequest{"/q/n-0000000001"})) ==
        "deleted /q/n-0000000001, turn /q/n-0000000002");
}

TEST_CASE("a request for a turn is refused with the first error that applies") {
  World world;
  const wire::SessionId session = world.open(1);
  world.create(session, "/q");
  world.create(session, "/q/n-0000000001");
  world.create(session, "/q/plain");
  wire::CreateRequest closed = create_request("/closed");
  closed.acl = wire::Acl{{"digest", "bob:x", 31}};
  world.run(session, closed);
  CHECK(ask(world, session, "1", turn_request("/q/n-0000000009")) == "NoNode");
  CHECK(ask(world, session, "1", turn_request("/q/plain")) == "BadArguments");
  CHECK(ask(world, session, "1", turn_request("/")) == "BadArguments");
  CHECK(ask(world, session, "1", turn_request("q")) == "BadArguments");
  const auto reserved = world.service().reserve_turn({session, {}}, {"1"}, "/closed/n-", {});
  REQUIRE_FALSE(reserved);
  CHECK(reserved.error().code == ErrorCode::no_auth);
}

// The turn that a create asks for.
std::pair<std::string, std::vector<wire::WatchEvent>> tell(World& world, wire::SessionId session,
                                                           const std::string& id,
                                                           const Applied& created,
                                                           const TurnOptions& options = {}) {
  wire::Result<wire::ReplyBody> reply = created.reply;
  auto events = world.service().tell_turn({session}, {id}, reply, options);
  return {*std::get<wire::CreateReply>(*reply).turn ? "true" : "false", std::move(events)};
}

wire::CreateRequest sequential_request(const std::string& path) {
  wire::CreateRequest request = create_request(path);
  request.sequential = true;
  return request;
}

TEST_CASE("a create that asks for a turn has a watch reserved until its reply is sent") {
  World world;
  Watches& watches = world.service().watches();
  const wire::SessionId session = world.open(1);
  world.create(session, "/q");
  const Applied first = world.run(session, sequential_request("/q/n-"));

  REQUIRE(world.service().reserve_turn({session}, {"1"}, "/q/n-", {}));
  CHECK(watches.size() == 1);
  CHECK(world.service().reserve_turn({session}, {"1"}, "/q/n-", {}).error().code ==
        ErrorCode::bad_arguments);
  const Applied second = world.run(session, sequential_request("/q/n-"));
  CHECK(second.events.empty());
  CHECK(tell(world, session, "1", second).first == "false");
  CHECK(watches.size() == 1);

  REQUIRE(world.service().reserve_turn({session}, {"2"}, "/q/n-", {}));
  wire::Result<wire::ReplyBody> refused = wire::Error{ErrorCode::no_node, "no"};
  CHECK(world.service().tell_turn({session}, {"2"}, refused, {}).empty());
  CHECK(watches.size() == 1);

  CHECK(tell(world, session, "3", first).first == "true");
  CHECK(events_text(world.run(session, wire::DeleteRequest{"/q/n-0000000000"})) ==
        "turn /q/n-0000000001");

  // It is gone before the reply, or is another node already.
  const auto gone = tell(world, session, "4", first);
  CHECK(gone.first == "false");
  CHECK(events_text(gone.second) == "deleted /q/n-0000000000");
  world.create(session, "/q/n-0000000000");
  CHECK(events_text(tell(world, session, "5", first).second) == "deleted /q/n-0000000000");
  CHECK(watches.size() == 0);
}

TEST_CASE("a session that lags gets a resync for its turns, but not for reserved watches") {
  World world;
  Watches& watches = world.service().watches();
  const wire::SessionId session = world.open(1);
  create_queue(world, session);
  CHECK(ask(world, session, "1", turn_request("/q/n-0000000002")) == "false");
  REQUIRE(world.service().reserve_turn({session}, {"2"}, "/q/n-", {}));
  const auto planned =
      world.service().plan({session, {1, 1}, 99, wire::DeleteRequest{"/q/n-0000000001"}}, 99'000);
  REQUIRE(planned);
  const wire::Zxid zxid{{1}, world.log().size() + 1};
  const EventSink no_room = [](wire::SessionId, wire::WatchEvent&&) { return false; };
  const auto applied = world.service().apply(zxid, *planned, BuildReply::yes, no_room);
  REQUIRE(applied);
  CHECK(applied->lagging == std::vector{session});
  CHECK(watches.size() == 2);
  CHECK(events_text(watches.resume(session)) == "resync /q/n-0000000002");
  CHECK(watches.size() == 1);
}

TEST_CASE("a create that asks for a turn leaves the identities of its session as they are") {
  World world;
  const wire::SessionId session = world.open(1);
  const znode::Identities bob = znode::Identities::of({{"digest", "bob:x"}});
  world.create(session, "/q");
  wire::CreateRequest closed = create_request("/closed");
  closed.acl = wire::Acl{{"digest", "bob:x", 31}};
  world.run(session, closed);
  REQUIRE(world.service().read({session, bob}, {"1"},
                               watch_request("/closed", wire::WatchScope::node)));
  REQUIRE(world.service().reserve_turn({session, bob}, {"2"}, "/q/n-", {}));
  REQUIRE(world.plan({session, {1, 1}, 99, wire::SetRequest{"/closed", "x", -1, false}, bob}));
  CHECK(events_text(world.apply_all()) == "changed /closed");
}

TEST_CASE("the number of different turns that are awaited in one folder is limited") {
  World world;
  const wire::SessionId session = world.open(1);
  create_queue(world, session);
  const auto of_kind = [](std::size_t number) {
    return turn_request("/q/n-0000000002", {1, {"n-", "k" + std::to_string(number)}});
  };
  for (std::size_t i = 0; i < Turns::groups_max; ++i) {
    REQUIRE(ask(world, session, "w" + std::to_string(i), of_kind(i)) == "false");
  }
  CHECK(ask(world, session, "more", of_kind(Turns::groups_max)) == "TooManyWatches");
  CHECK(ask(world, session, "same", of_kind(0)) == "false");
}

TEST_CASE("a turn is reported only to a client that may read the node") {
  World world;
  const wire::SessionId session = world.open(1);
  create_queue(world, session);
  CHECK(ask(world, session, "1", turn_request("/q/n-0000000002")) == "false");
  wire::SetAclRequest closes{"/q/n-0000000002", {{"digest", "bob:x", 31}}};
  world.run(session, closes);
  CHECK(events_text(world.run(session, wire::DeleteRequest{"/q/n-0000000001"})).empty());
  std::vector<wire::WatchEvent> told;
  const EventSink sink = [&](wire::SessionId, wire::WatchEvent&& event) {
    told.push_back(std::move(event));
    return true;
  };
  CHECK(world.service().tick_turns(sink).empty());
  CHECK(told.empty());
  world.service().watches().identify(session, znode::Identities::of({{"digest", "bob:x"}}));
  CHECK(world.service().tick_turns(sink).empty());
  CHECK(events_text(told) == "turn /q/n-0000000002");
}

TEST_CASE("a large folder is indexed in parts, and its turns are reported afterwards") {
  World world;
  const wire::SessionId session = world.open(1);
  world.create(session, "/q");
  const std::size_t count = 2 * Turns::part_children + 10;
  const auto path = [](std::size_t number) {
    std::string digits = std::to_string(number);
    return "/q/n-" + std::string(10 - digits.size(), '0') + digits;
  };
  for (std::size_t i = 0; i < count; ++i) world.create(session, path(i));
  CHECK(ask(world, session, "first", turn_request(path(0))) == "false");  // not known yet
  CHECK(ask(world, session, "last", turn_request(path(count - 1), {2, {}})) == "false");
  std::string told;
  const EventSink sink = [&](wire::SessionId, wire::WatchEvent&& event) {
    told += event.watch.json + ' ';
    return true;
  };
  // A change in between counts once.
  world.run(session, wire::DeleteRequest{path(1)});
  world.run(session, wire::DeleteRequest{path(count - 2)});
  std::size_t parts = 0;
  while (world.service().watches().is_indexing_turns()) {
    CHECK(told.empty());
    CHECK(world.service().index_turns(sink).empty());
    ++parts;
  }
  CHECK(parts == 2);
  CHECK(told == "first ");
  for (std::size_t i = 2; i < count - 2; ++i) world.run(session, wire::DeleteRequest{path(i)});
  CHECK(world.service().watches().size() == 0);
  CHECK(ask(world, session, "again", turn_request(path(count - 1), {2, {}})) == "true");
}

// --- Random transactions, against a count of the whole folder ---

struct Waiter {
  std::string path;
  TurnOptions options;
};

bool is_turn(const znode::Tree& tree, const Waiter& waiter) {
  const auto own = znode::sibling_of(znode::name_of(waiter.path));
  std::int32_t before = 0;
  const znode::Node& folder = tree.at(znode::parent_of(waiter.path));
  for (const auto* child = folder.first_child(); child != nullptr; child = child->next_sibling()) {
    const auto other = znode::sibling_of(child->name());
    if (!other || !znode::is_before(other->number, own->number)) continue;
    const auto& among = waiter.options.among;
    if (among.empty() || std::ranges::find(among, other->kind) != among.end()) ++before;
  }
  return before < waiter.options.limit;
}

std::string random_name(std::mt19937& random, std::uint32_t center) {
  const char* kinds[] = {"a-", "b-", "", "x--"};
  std::string digits = std::to_string(center + random() % 12);
  if (random() % 8 == 0) digits = std::to_string(random());
  return kinds[random() % 4] + std::string(10 - std::min<std::size_t>(digits.size(), 10), '0') +
         digits;
}

TEST_CASE("every turn is reported once, at the transaction that causes it") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    World world;
    const wire::SessionId session = world.open(1);
    world.create(session, "/q");
    world.create(session, "/r");
    std::map<std::string, Waiter> waiting;  // by watch id
    std::vector<std::string> paths;
    const std::uint32_t center = std::vector{0u, 100u, 2147483640u, 4294967290u}[seed % 4];
    for (int step = 0; step < 150; ++step) {
      const unsigned action = random() % 8;
      if (action < 4) {
        const std::string path = (random() % 4 == 0 ? "/r/" : "/q/") + random_name(random, center);
        if (world.service().tree().find(path) != nullptr) continue;
        CHECK(world.run(session, create_request(path)).events.empty());
        paths.push_back(path);
      } else if (action < 6 && !paths.empty()) {
        const std::string id = std::to_string(step);
        Waiter waiter{paths[random() % paths.size()], {}};
        waiter.options.limit = static_cast<std::int32_t>(1 + random() % 4);
        if (random() % 2 == 0) waiter.options.among = {"a-"};
        if (random() % 4 == 0) waiter.options.among = {"b-", "a-", "b-"};
        const bool turn = is_turn(world.service().tree(), waiter);
        CHECK(ask(world, session, id, turn_request(waiter.path, waiter.options)) ==
              (turn ? "true" : "false"));
        if (!turn) waiting[id] = waiter;
      } else if (action == 6 && !waiting.empty() && random() % 4 == 0) {
        const std::string id = waiting.begin()->first;
        REQUIRE(world.service().read({session}, {"u"}, wire::UnwatchRequest{{id}}));
        waiting.erase(id);
      } else if (!paths.empty()) {
        const std::size_t at = random() % paths.size();
        const std::string path = paths[at];
        paths.erase(paths.begin() + static_cast<std::ptrdiff_t>(at));
        std::map<std::string, std::string> told;
        for (const Delivery& delivery : world.run(session, wire::DeleteRequest{path}).events) {
          CHECK(told.emplace(delivery.event.watch.json, name(delivery.event.kind)).second);
        }
        std::map<std::string, std::string> expected;
        std::erase_if(waiting, [&](const auto& each) {
          const bool is_gone = each.second.path == path;
          const bool ends = is_gone || is_turn(world.service().tree(), each.second);
          if (ends) expected[each.first] = is_gone ? "deleted" : "turn";
          return ends;
        });
        CHECK(told == expected);
      }
    }
    CHECK(world.service().watches().size() == waiting.size());
  }
}

}  // namespace
}  // namespace session
