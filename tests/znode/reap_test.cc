#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/znode/world.h"

namespace znode {
namespace {

using Paths = std::vector<std::string>;

wire::CreateRequest create(std::string path) {
  wire::CreateRequest request;
  request.path = std::move(path);
  return request;
}
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

Paths reaped(World& world, wire::TimeMs now) { return world.plan_reaping(now).paths; }

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

TEST_CASE("a container is deleted after its last child, and not before it had one") {
  World world;
  REQUIRE(world.run(container("/c")));
  CHECK(reaped(world, 1'000'000).empty());
  world.create("/c/1").create("/c/2");
  CHECK(reaped(world, 1'000'000).empty());
  world.remove("/c/1");
  CHECK(reaped(world, 1'000'000).empty());
  world.remove("/c/2");
  CHECK(reaped(world, 1) == Paths{"/c"});
  CHECK(reaped(world, 1).empty());  // its deletion is planned already
  world.apply_all();
  CHECK_FALSE(world.tree().find("/c"));
  CHECK_FALSE(world.tree().is_due(1'000'000));
}

TEST_CASE("a TTL node is deleted when it has no children and was not set for its TTL") {
  World world;
  REQUIRE(world.run(ttl("/t", 5000)));  // at 1000
  CHECK(reaped(world, 6000).empty());
  CHECK(reaped(world, 6001) == Paths{"/t"});
  world.apply_all();

  World set;
  REQUIRE(set.run(ttl("/t", 5000)));  // at 1000
  set.set("/t", "again");             // at 2000
  CHECK(reaped(set, 7000).empty());
  set.create("/t/child");
  CHECK(reaped(set, 100'000).empty());
  set.remove("/t/child");
  CHECK_FALSE(set.tree().is_due(7000));
  CHECK(set.tree().is_due(7001));
  CHECK(reaped(set, 7001) == Paths{"/t"});
}

TEST_CASE("reaping respects outstanding plans") {
  World world;
  REQUIRE(world.run(container("/c")));
  REQUIRE(world.run(ttl("/t", 10)));
  world.create("/c/1").remove("/c/1");
  REQUIRE(world.plan(create("/c/2")));
  REQUIRE(world.plan(wire::SetRequest{"/t", "", -1}));
  CHECK(reaped(world, 5000).empty());
  world.apply_all();
  CHECK(world.tree().find("/c"));

  REQUIRE(world.plan(wire::DeleteRequest{"/t"}));
  REQUIRE(world.plan(create("/t")));
  CHECK(reaped(world, 1'000'000).empty());
  world.apply_all();
}

TEST_CASE("nested containers are deleted one after the other, at most 1000 nodes at a time") {
  World world;
  REQUIRE(world.run(container("/a")));
  REQUIRE(world.run(container("/a/b")));
  world.create("/a/b/c").remove("/a/b/c");
  CHECK(reaped(world, 1) == Paths{"/a/b"});
  world.apply_all();
  CHECK(reaped(world, 1) == Paths{"/a"});
  world.apply_all();

  for (int i = 0; i < 1500; ++i) REQUIRE(world.run(ttl("/t" + std::to_string(i), 1)));
  CHECK(reaped(world, 100'000'000).size() == 1000);
  world.apply_all();
  CHECK(reaped(world, 100'000'000).size() == 500);
}

}  // namespace
}  // namespace znode
