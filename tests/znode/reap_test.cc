#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/znode/requests.h"
#include "tests/znode/world.h"

namespace znode {
namespace {

using Paths = std::vector<std::string>;

wire::CreateRequest container(std::string path) {
  wire::CreateRequest request = create(std::move(path));
  request.container = true;
  return request;
}
wire::CreateRequest ttl(std::string path, std::int64_t ms) {
  wire::CreateRequest request = create(std::move(path));
  request.ttl_ms = ms;
  return request;
}

// A leader: it counts ticks of 10 ms. A container is kept for 50 ms after its last child.
struct Leader {
  static constexpr ReapingRules rules{10, 50, 0};

  World world;

  explicit Leader(const ReapingRules& own = rules) { lead(0, own); }
  void lead(wire::TimeMs now, const ReapingRules& own = rules) {
    world.tree().countdowns().begin(own, now);
  }
  void ticks(int count) {
    for (int i = 0; i < count; ++i) world.tree().countdowns().tick();
  }
  // The number of ticks until exactly these nodes are due. Deletes them then.
  int ticks_to(const Paths& paths) {
    for (int passed = 0; passed < 1000; ++passed) {
      if (const Paths due = reaped(); !due.empty()) {
        CHECK(due == paths);
        return passed;
      }
      ticks(1);
    }
    return -1;
  }
  bool is_due_within(int count) {
    for (int i = 0; i < count; ++i) {
      ticks(1);
      if (!reaped().empty()) return true;
    }
    return false;
  }
  Paths reaped() {
    Paths paths = world.plan_reaping().paths;
    world.apply_all();
    return paths;
  }
};

TEST_CASE("the stat shows containers and TTLs") {
  World world;
  REQUIRE(world.run(container("/c")));
  REQUIRE(world.run(ttl("/t", 5000)));
  CHECK(world.stat("/c").container);
  CHECK_FALSE(world.stat("/c").ttl_ms);
  CHECK(world.stat("/c").ephemeral_owner.none());
  CHECK(world.stat("/t").ttl_ms == 5000);
  CHECK_FALSE(world.stat("/t").container);
  CHECK(world.stat("/t").ephemeral_owner.none());

  wire::CreateRequest sequential = ttl("/t", ttl_ms_max);
  sequential.sequential = true;
  CHECK(world.run(sequential));
  CHECK(world.run(create("/t/child")));
}

TEST_CASE("a container is deleted some time after its last child, and never before its first one") {
  Leader leader;
  World& world = leader.world;
  REQUIRE(world.run(container("/c")));
  CHECK_FALSE(leader.is_due_within(100));
  world.create("/c/1").create("/c/2");
  CHECK_FALSE(leader.is_due_within(100));
  world.remove("/c/1");
  CHECK_FALSE(leader.is_due_within(100));
  world.remove("/c/2");
  CHECK(leader.ticks_to({"/c"}) == 6);
  CHECK_FALSE(world.tree().find("/c"));
  CHECK_FALSE(world.tree().countdowns().is_due());
  CHECK(world.tree().countdowns().size() == 0);
}

TEST_CASE("a new child of a container stops its countdown, which begins again after that child") {
  Leader leader;
  World& world = leader.world;
  REQUIRE(world.run(container("/c")));
  for (int i = 0; i < 20; ++i) {
    world.create("/c/lock");
    leader.ticks(3);
    world.remove("/c/lock");
    CHECK_FALSE(leader.is_due_within(5));
  }
  world.create("/c/lock").remove("/c/lock");
  CHECK(leader.ticks_to({"/c"}) == 6);
}

TEST_CASE("a container that never had a child is deleted only if the rules have a time for it") {
  Leader leader({10, 50, 200});
  World& world = leader.world;
  REQUIRE(world.run(container("/unused")));
  CHECK(leader.ticks_to({"/unused"}) == 21);
  REQUIRE(world.run(container("/used")));
  leader.ticks(20);
  world.create("/used/1").remove("/used/1");
  CHECK(leader.ticks_to({"/used"}) == 6);
}

TEST_CASE("a TTL node is deleted when it has no children and was not set for its TTL") {
  Leader leader;
  World& world = leader.world;
  REQUIRE(world.run(ttl("/t", 500)));
  CHECK(leader.ticks_to({"/t"}) == 51);

  REQUIRE(world.run(ttl("/t", 500)));
  leader.ticks(40);
  world.set("/t", "again");
  CHECK_FALSE(leader.is_due_within(50));
  world.create("/t/child");
  CHECK_FALSE(leader.is_due_within(100));
  world.remove("/t/child");
  CHECK(leader.ticks_to({"/t"}) == 0);  // a child does not restart the TTL
}

TEST_CASE("a set of a TTL node with children restarts its TTL") {
  Leader leader;
  World& world = leader.world;
  REQUIRE(world.run(ttl("/t", 100)));
  world.create("/t/child");
  leader.ticks(30);
  world.set("/t", "again").remove("/t/child");
  CHECK(leader.ticks_to({"/t"}) == 11);
}

TEST_CASE("the end of a TTL depends on the ticks since the set, and not on the time of the set") {
  Leader leader;
  World& world = leader.world;
  for (int i = 0; i < 100; ++i) world.create("/later" + std::to_string(i));  // 100 s
  REQUIRE(world.run(ttl("/t", 100)));
  for (int i = 100; i < 200; ++i) world.create("/later" + std::to_string(i));
  CHECK_FALSE(leader.is_due_within(10));
  CHECK(leader.ticks_to({"/t"}) == 1);
}

TEST_CASE("a new leader takes the age of a TTL node from its mtime, within the TTL") {
  struct Row {
    const char* what;
    wire::TimeMs now;  // of the new leader; the mtime is 1000
    int ticks;
  };
  for (const Row& row : {
           Row{"it was just set", 1000, 51},
           Row{"it is older", 1200, 31},
           Row{"it is due", 1500, 1},
           Row{"it is long due", 1'000'000'000, 1},
           Row{"its mtime is in the future", 10, 51},
           Row{"its clock is long before the mtime", -1'000'000'000'000, 51},
       }) {
    CAPTURE(row.what);
    Leader leader;
    REQUIRE(leader.world.run(ttl("/t", 500)));
    leader.ticks(30);
    leader.lead(row.now);
    CHECK(leader.ticks_to({"/t"}) == row.ticks);
  }
}

TEST_CASE("a new leader begins the countdown of a container again") {
  Leader leader;
  REQUIRE(leader.world.run(container("/c")));
  leader.world.create("/c/1").remove("/c/1");
  leader.ticks(5);
  leader.lead(1'000'000'000);
  CHECK(leader.ticks_to({"/c"}) == 6);
}

TEST_CASE("a server that does not lead has no countdowns") {
  World world;
  REQUIRE(world.run(ttl("/t", 1)));
  for (int i = 0; i < 100; ++i) world.tree().countdowns().tick();
  CHECK_FALSE(world.tree().countdowns().is_due());
  Leader former;
  REQUIRE(former.world.run(ttl("/t", 100)));
  former.ticks(5);
  former.world.tree().countdowns().end();
  former.ticks(100);
  CHECK(former.reaped().empty());
}

TEST_CASE("a node that an outstanding plan changes is not deleted when its countdown ends") {
  Leader leader;
  World& world = leader.world;
  REQUIRE(world.run(container("/c")));
  REQUIRE(world.run(ttl("/t", 10)));
  world.create("/c/1").remove("/c/1");
  leader.ticks(100);
  REQUIRE(world.plan(create("/c/2")));
  REQUIRE(world.plan(wire::SetRequest{"/t", "", -1}));
  CHECK(world.plan_reaping().paths.empty());
  world.apply_all();
  CHECK(world.tree().find("/c"));
  world.remove("/c/2");

  leader.ticks(100);
  REQUIRE(world.plan(wire::DeleteRequest{"/t"}));
  REQUIRE(world.plan(create("/t")));
  REQUIRE(world.plan(wire::DeleteRequest{"/c"}));
  REQUIRE(world.plan(container("/c")));
  CHECK(world.plan_reaping().paths.empty());
  world.apply_all();

  REQUIRE(world.run(ttl("/u", 10)));
  leader.ticks(100);
  CHECK(world.plan_reaping().paths == Paths{"/u"});
  CHECK(world.plan_reaping().paths.empty());  // its deletion is planned already
  world.apply_all();
}

TEST_CASE("nested containers are deleted one after the other, at most 1000 nodes at a time") {
  Leader leader;
  World& world = leader.world;
  REQUIRE(world.run(container("/a")));
  REQUIRE(world.run(container("/a/b")));
  world.create("/a/b/c").remove("/a/b/c");
  CHECK(leader.ticks_to({"/a/b"}) == 6);
  CHECK(leader.ticks_to({"/a"}) == 6);

  for (int i = 0; i < 1500; ++i) REQUIRE(world.run(ttl("/t" + std::to_string(i), 1)));
  leader.ticks(2);
  CHECK(leader.reaped().size() == 1000);
  CHECK(leader.reaped().size() == 500);
}

TEST_CASE("a new leader examines a bounded number of TTL nodes in each tick") {
  Tree tree;
  for (int i = 0; i < 25'000; ++i) {
    tree.insert("/" + std::to_string(i), "", {}, Lifetime::of_ttl(1));
  }
  tree.countdowns().begin({10, 50, 0}, 1'000'000);
  std::size_t due = 0;
  for (const std::size_t most : {10'000u, 20'000u, 25'000u, 25'000u}) {
    tree.countdowns().tick();
    due = tree.countdowns().due(100'000).size();
    CHECK(due <= most);
  }
  CHECK(due == 25'000);
}

TEST_CASE(
    "a recursive deletion ends the countdowns of the containers and TTL nodes that it deletes") {
  Leader leader;
  World& world = leader.world;
  REQUIRE(world.run(container("/a")));
  REQUIRE(world.run(container("/a/b")));
  REQUIRE(world.run(ttl("/a/b/t", 10)));
  REQUIRE(world.run(container("/a/b/empty")));
  leader.ticks(5);
  wire::DeleteRequest all{"/a"};
  all.recursive = true;
  REQUIRE(world.run(all));
  CHECK(world.tree().countdowns().size() == 0);
  CHECK_FALSE(leader.is_due_within(100));
}

}  // namespace
}  // namespace znode
