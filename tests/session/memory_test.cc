#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "session/restoration.h"
#include "tests/session/world.h"

// The memory that the replicated state takes, and what is refused when it is full.
namespace session {
namespace {

using wire::ErrorCode;

constexpr std::size_t state_max = std::size_t{64} << 10;

wire::SetRequest set_request(std::string path, std::size_t bytes) {
  wire::SetRequest request;
  request.path = std::move(path);
  request.data = wire::Bytes(bytes, 'x');
  return request;
}

wire::DeleteRequest delete_request(std::string path, bool recursive = false) {
  wire::DeleteRequest request;
  request.path = std::move(path);
  request.recursive = recursive;
  return request;
}

wire::SetAclRequest acl_request(std::string path, wire::Acl acl) {
  wire::SetAclRequest request;
  request.path = std::move(path);
  request.acl = std::move(acl);
  return request;
}

// A leader at the newest level, whose state has no room for one more byte. It has /full with many
// children, /big with 1,000 bytes, and two sessions. The first keeps the results of its writes, and
// has one.
struct Full {
  World world;
  std::int64_t number = 1;  // of its last write
  wire::SessionId session;
  wire::SessionId other;

  explicit Full(wire::Level level = wire::known_levels.greatest)
      : world({.state_bytes_max = state_max}) {
    if (level != wire::Level{}) world.set_level(level);
    REQUIRE(world.plan({{}, {1, 1}, 1, OpenSession{World::secret(1), 10'000, 1000}}));
    session = world.apply_all().session;
    other = world.open(2);
    REQUIRE(world.plan({session, {1, 1}, 1, create_request("/full"), {}, number}));
    world.apply_all();
    run(create_request("/big"));
    run(set_request("/big", 1000));
    run(create_request("/pad"));
    int children = 0;
    while (plan(create_request("/full/" + std::to_string(children)))) {
      world.apply_all();
      REQUIRE(++children < 1000);
    }
    run(set_request("/pad", room()));
    REQUIRE(room() == 0);
  }
  [[nodiscard]] Service& service() { return world.service(); }
  // What is left for anything but new sessions.
  [[nodiscard]] std::size_t room() {
    return state_max - state_max / 64 - static_cast<std::size_t>(service().memory());
  }
  znode::PlanResult<wire::Bytes> plan(CommandBody body, znode::Identities identities = {}) {
    return world.plan({session, {1, 1}, 1, std::move(body), std::move(identities)});
  }
  void run(CommandBody body) {
    REQUIRE(plan(std::move(body)));
    world.apply_all();
  }
};

std::string outcome(const znode::PlanResult<wire::Bytes>& planned) {
  return planned ? "planned" : std::string(wire::name(planned.error().error.code));
}

TEST_CASE("a full state refuses requests that enlarge it, and no others") {
  const wire::Acl long_acl{{"digest", "user:" + std::string(100, 'h'), 31}};
  wire::CreateRequest large = create_request("/large");
  large.data = wire::Bytes(900, 'x');
  wire::SetRequest set_and_create = set_request("/new", 0);
  set_and_create.create = true;
  struct Row {
    const char* what;
    CommandBody body;
    bool is_refused;
  };
  const Row rows[] = {
      {"create", create_request("/new"), true},
      {"set that creates", set_and_create, true},
      {"larger set", set_request("/big", 1001), true},
      {"equal set", set_request("/big", 1000), false},
      {"smaller set", set_request("/big", 999), false},
      {"an ACL", acl_request("/big", long_acl), true},
      {"the open ACL", acl_request("/big", wire::open_acl()), false},
      {"delete", delete_request("/big"), false},
      {"recursive delete", delete_request("/full", true), false},
      {"multi that grows", wire::MultiRequest{{delete_request("/full/0"), large}}, true},
      {"multi that shrinks", wire::MultiRequest{{delete_request("/big"), large}}, false},
      {"multi in another order", wire::MultiRequest{{large, delete_request("/big")}}, false},
      {"close", CloseSession{}, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Full full;
    CHECK(outcome(full.plan(row.body)) == (row.is_refused ? "Overloaded" : "planned"));
    CHECK(full.service().outstanding() == (row.is_refused ? 0 : 1));
    full.world.apply_all();
    CHECK(full.service().memory() <= state_max);
  }
}

TEST_CASE("the refusal of a full state says what is full and what to do") {
  Full full;
  const auto refused = full.plan(create_request("/new"));
  REQUIRE_FALSE(refused);
  CHECK(
      refused.error().error.message ==
      "the tree and the sessions are full: they take the 65536 bytes that memoryLimitBytes leaves "
      "them. Nothing was done. Delete nodes, or raise memoryLimitBytes on every server");
}

TEST_CASE("a full state lets the super identity write, and sessions resume and end") {
  Full full;
  const auto super = znode::Identities::of({{"super", "super"}});
  REQUIRE(super.is_super());
  CHECK(full.plan(create_request("/new"), super));
  const CommandBody resume = MoveSession{World::secret(2), 10'000, 0};
  CHECK(full.world.plan({full.other, {1, 7}, 7, resume}));
  CHECK(full.world.plan({full.other, {}, 0, CloseSession{true}}));
  CHECK(outcome(full.plan(create_request("/new2"))) == "Overloaded");
}

TEST_CASE("a full state keeps room for some new sessions, so that a client can delete nodes") {
  Full full;
  const auto open = [&](znode::Identities identities = {}) {
    return outcome(full.world.plan(
        {{}, {1, 9}, 9, OpenSession{World::secret(9), 10'000, 0}, std::move(identities)}));
  };
  CHECK(open() == "planned");
  CHECK(open() == "planned");
  CHECK(open() == "Overloaded");
  CHECK(open(znode::Identities::of({{"super", "super"}})) == "planned");
}

TEST_CASE("plans that are not applied count, and what they delete makes room at once") {
  Full full;
  REQUIRE(full.plan(delete_request("/big")));
  int planned = 0;
  while (planned < 100 && full.plan(create_request("/new" + std::to_string(planned)))) ++planned;
  CHECK(planned == 5);
  full.service().forget_plans();
  CHECK(outcome(full.plan(create_request("/new"))) == "Overloaded");
}

TEST_CASE(
    "a full state keeps the refusal of a numbered write in a short form, and gives it again") {
  Full full;
  const auto planned =
      full.world.plan({full.session, {1, 1}, 1, create_request("/new"), {}, full.number + 1});
  REQUIRE(planned);
  const Applied applied = full.world.apply_all();
  REQUIRE(applied.refusal);
  CHECK(applied.refusal->error.code == ErrorCode::overloaded);
  CHECK(applied.refusal->error.message ==
        "Overloaded: the tree and the sessions are full, so no more of the message is kept");
  const Results& results = *full.service().sessions().results(full.session);
  CHECK(results.all().back().number == full.number + 1);
  CHECK(full.service().memory() <= state_max);
  // The large result of a multi lets the state grow, even if the multi only reads.
  const wire::MultiRequest reads{{wire::GetRequest{"/big", {}}}};
  REQUIRE(full.world.plan({full.session, {1, 1}, 2, reads, {}, full.number + 2}));
  const auto refusal = full.world.apply_all().refusal;
  REQUIRE(refusal);
  CHECK_FALSE(refusal->multi);
  CHECK(full.plan(reads));
}

TEST_CASE("kept refusals count in the state, and do not take the room for new sessions") {
  Full full;
  const std::string missing = "/" + std::string(4000, 'x');
  for (const bool outstanding : {true, false}) {
    int kept = 0;
    for (int i = 0; i < 30; ++i) {
      const std::int64_t number = ++full.number;
      const auto planned =
          full.world.plan({full.session, {1, 1}, 1, delete_request(missing), {}, number});
      CHECK(outcome(planned) == (planned ? "planned" : "NoNode"));
      kept += planned ? 1 : 0;
      if (!outstanding) full.world.apply_all();
    }
    full.world.apply_all();
    CHECK(kept < 10);
    CHECK(full.service().memory() <= state_max - state_max / 128);
  }
  const CommandBody open = OpenSession{World::secret(9), 10'000, 0};
  CHECK(full.world.plan({{}, {1, 9}, 9, open}));
}

TEST_CASE("a state that is not full keeps refusals whole, and they fill it") {
  World world({.state_bytes_max = state_max});
  REQUIRE(world.plan({{}, {1, 1}, 1, OpenSession{World::secret(1), 10'000, 1000}}));
  const wire::SessionId session = world.apply_all().session;
  const std::string missing = "/" + std::string(4000, 'x');
  for (std::int64_t number = 1; number < 100; ++number) {
    const auto planned = world.plan({session, {1, 1}, 1, delete_request(missing), {}, number});
    if (!planned) continue;
    const Applied applied = world.apply_all();
    REQUIRE(applied.refusal);
    if (number == 1) CHECK(applied.refusal->error.message == missing + " does not exist");
  }
  CHECK(world.service().memory() > state_max / 2);
  CHECK(world.service().memory() <= state_max);
}

TEST_CASE("below level 2 a full state refuses with Throttled, which version 0.1 knows") {
  Full full(wire::Level{1});
  CHECK(outcome(full.plan(create_request("/new"))) == "Throttled");
}

TEST_CASE("the limit of sessions of the ensemble also counts sessions that are only planned") {
  for (const std::uint32_t level : {1U, 2U}) {
    World world({.sessions_max = 3});
    world.set_level({level});
    const wire::SessionId first = world.open(1);
    const auto open = [&] {
      return outcome(world.plan({{}, {1, 9}, 9, OpenSession{World::secret(9), 10'000, 0}}));
    };
    CHECK(open() == "planned");
    CHECK(open() == "planned");
    CHECK(open() == (level < 2 ? "Throttled" : "TooManySessions"));
    world.apply_all();
    world.run(first, CloseSession{});
    CHECK(open() == "planned");
  }
}

TEST_CASE("replicas apply plans whatever their own limit, and estimate the same memory") {
  World world;
  const wire::SessionId session = world.open(1);
  world.create(session, "/a", wire::Bytes(1000, 'x'));
  world.run(session, acl_request("/a", {{"digest", "u:h", 31}, {"world", "anyone", 31}}));
  world.run(session, ephemeral_request("/e"));
  REQUIRE(world.plan({{}, {1, 2}, 2, OpenSession{World::secret(2), 10'000, 5}}));
  const wire::SessionId keeping = world.apply_all().session;
  for (std::int64_t number = 1; number < 9; ++number) {
    REQUIRE(world.plan({keeping, {1, 2}, 2, set_request("/a", 10), {}, number}));
    world.apply_all();
  }
  Service small({.state_bytes_max = 1, .sessions_max = 1});
  std::uint64_t count = 0;
  for (const wire::Bytes& bytes : world.log()) REQUIRE(small.apply({{1}, ++count}, bytes));
  CHECK(small.digest() == world.service().digest());
  CHECK(small.memory() == world.service().memory());

  small.begin_image();
  std::vector<Record> records;
  while (!small.collect_image(100, records)) {
  }
  std::map<wire::Bytes, wire::Bytes> image;
  for (Record& record : records) image.emplace(std::move(record.key), *std::move(record.value));
  Restoration restoration({.state_bytes_max = 1});
  for (const auto& [key, value] : image) REQUIRE(restoration.add(key, value));
  const auto restored = restoration.finish();
  REQUIRE(restored);
  CHECK((*restored)->memory() == small.memory());

  REQUIRE(world.plan({keeping, {1, 2}, 2, CloseSession{}}));
  world.apply_all();
  world.run(session, delete_request("/a"));
  world.run(session, CloseSession{});
  CHECK(world.service().sessions().memory() == 0);
}

}  // namespace
}  // namespace session
