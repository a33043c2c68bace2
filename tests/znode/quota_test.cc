#include "znode/quota.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/znode/identities.h"
#include "tests/znode/requests.h"
#include "tests/znode/world.h"

namespace znode {
namespace {

using wire::ErrorCode;

const Caller a_super{World::me, super};

void limit(World& world, const std::string& path, wire::Bytes text) {
  REQUIRE(world.run_as(a_super, wire::SetRequest{limits_path(path), std::move(text), -1, true}));
}

std::string stats(const World& world, const std::string& path) {
  const std::string at(parent_of(limits_path(path)));
  return read(wire::GetRequest{at + "/zookeeper_stats", {}}, Caller(), world.pending().tree())
      ->data;
}

TEST_CASE("limits_of parses the text of limits") {
  struct Row {
    const char* text;
    std::optional<QuotaLimits> limits;
  };
  for (const Row& row : {
           Row{"", QuotaLimits{}},
           Row{"count=5", QuotaLimits{{5, -1}, {-1, -1}}},
           Row{"count=5,bytes=7", QuotaLimits{{5, 7}, {-1, -1}}},
           Row{"count=-1,bytes=-1=;byteHardLimit=100;countHardLimit=10",
               QuotaLimits{{-1, -1}, {10, 100}}},
           Row{"countHardLimit=0", QuotaLimits{{-1, -1}, {0, -1}}},
           Row{"count=", QuotaLimits{}},
           Row{"count", std::nullopt},
           Row{"count=x", std::nullopt},
           Row{"count=-2", std::nullopt},
           Row{"count=99999999999999999999", std::nullopt},
           Row{"nodes=5", std::nullopt},
       }) {
    CAPTURE(row.text);
    const auto limits = limits_of(row.text);
    CHECK(limits.has_value() == row.limits.has_value());
    if (limits && row.limits) CHECK(*limits == *row.limits);
  }
}

TEST_CASE("limits_path and limited_path convert between nodes and their quota nodes") {
  CHECK(limits_path("/a/b") == "/zookeeper/quota/a/b/zookeeper_limits");
  CHECK(limits_path("/") == "/zookeeper/quota/zookeeper_limits");
  CHECK(limited_path("/zookeeper/quota/a/b/zookeeper_limits") == "/a/b");
  CHECK(limited_path("/zookeeper/quota/a/zookeeper_stats") == "/a");
  CHECK(limited_path("/zookeeper/quota/a") == "/a");
  CHECK(limited_path("/zookeeper/quota/zookeeper_limits") == "/");
  CHECK_FALSE(limited_path("/zookeeper/quota"));
  CHECK_FALSE(limited_path("/a/zookeeper_limits"));
}

TEST_CASE("a change beyond a hard limit is refused") {
  World world;
  world.create("/q").create("/q/1", "12345");
  limit(world, "/q", "countHardLimit=4,byteHardLimit=20");
  CHECK(stats(world, "/q") == "count=2,bytes=5");

  REQUIRE(world.run(create("/q/1/2", "12345")));
  REQUIRE(world.run(wire::SetRequest{"/q", "12345"}));
  const auto bytes = world.plan(create("/q/3", "123456"));
  CHECK(bytes.error().error ==
        wire::Error{ErrorCode::quota_exceeded,
                    "/q would have 21 bytes, more than its quota's byteHardLimit=20"});
  CHECK(world.plan(wire::SetRequest{"/q/1", "12345678901"}).error().error.code ==
        ErrorCode::quota_exceeded);
  REQUIRE(world.run(create("/q/3", "12345")));
  const auto count = world.plan(create("/q/4"));
  CHECK(count.error().error ==
        wire::Error{ErrorCode::quota_exceeded,
                    "/q would have 5 nodes, more than its quota's countHardLimit=4"});
  CHECK(stats(world, "/q") == "count=4,bytes=20");

  // Changes that reduce the usage are always allowed, and nodes outside the subtree do not count.
  REQUIRE(world.run(wire::SetRequest{"/q/1", ""}));
  REQUIRE(world.run(wire::DeleteRequest{"/q/3"}));
  REQUIRE(world.run(create("/q/4", "1234567890")));
  REQUIRE(world.run(create("/q2", std::string(1000, 'x'))));
}

TEST_CASE("a quota counts planned nodes") {
  World world;
  world.create("/q").create("/q/old");
  limit(world, "/q", "countHardLimit=4");
  REQUIRE(world.plan(create("/q/1")));
  REQUIRE(world.plan(create("/q/1/2")));
  CHECK(world.plan(create("/q/3")).error().error.code == ErrorCode::quota_exceeded);
  REQUIRE(world.plan(wire::DeleteRequest{"/q/1", -1, true}));
  REQUIRE(world.plan(create("/q/3")));
  // The operations of a multi add up.
  CHECK(world.plan(wire::MultiRequest{{create("/q/4"), create("/q/5")}}).error().multi->failed ==
        1u);
  REQUIRE(world.plan(
      wire::MultiRequest{{wire::DeleteRequest{"/q/old"}, create("/q/4"), create("/q/5")}}));
  CHECK(world.plan(create("/q/6")).error().error.code == ErrorCode::quota_exceeded);
  world.apply_all();
  CHECK(stats(world, "/q") == "count=4,bytes=0");
  CHECK(world.plan(create("/q/6")).error().error.code == ErrorCode::quota_exceeded);
}

TEST_CASE("planned limits apply to later plans") {
  World world;
  world.create("/q").create("/q/1");
  REQUIRE(world.plan(create("/q/2")));
  REQUIRE(world.plan(wire::SetRequest{limits_path("/q"), "countHardLimit=3", -1, true}));
  CHECK(world.plan(create("/q/3")).error().error.code == ErrorCode::quota_exceeded);
  REQUIRE(world.plan(wire::SetRequest{limits_path("/q"), "countHardLimit=4"}));
  REQUIRE(world.plan(create("/q/3")));
  REQUIRE(world.plan(wire::DeleteRequest{"/zookeeper/quota/q", -1, true}));
  REQUIRE(world.plan(create("/q/4")));
  world.apply_all();
  CHECK_FALSE(world.pending().tree().has_limits());
  CHECK(world.stat("/q").num_children == 4);
}

TEST_CASE("the quotas of a node and of all its ancestors count, the root's included") {
  World world;
  world.create("/a").create("/a/b");
  limit(world, "/a", "countHardLimit=3");
  limit(world, "/a/b", "countHardLimit=10");
  limit(world, "/none", "countHardLimit=0");
  REQUIRE(world.run(create("/a/b/c")));
  CHECK(world.plan(create("/a/b/d")).error().error.message.starts_with("/a would have"));
  CHECK(world.plan(create("/none")).error().error.message.starts_with("/none would have 1 nodes"));
  wire::CreateRequest parents = create("/none/x");
  parents.parents = true;
  CHECK(world.plan(parents).error().error.code == ErrorCode::quota_exceeded);
  // The quota of the root has two nodes of its own.
  limit(world, "/", "countHardLimit=" + std::to_string(world.tree().size() + 3));
  REQUIRE(world.run(create("/b")));
  CHECK(world.plan(create("/c")).error().error.message.starts_with("/ would have"));
  // A quota that is used up can still be changed.
  limit(world, "/", "countHardLimit=1000");
  CHECK(world.run(create("/c")));
}

TEST_CASE("a quota does not bind super") {
  World world;
  world.create("/q");
  limit(world, "/q", "countHardLimit=1,byteHardLimit=1");
  CHECK(world.plan(create("/q/a")).error().error.code == ErrorCode::quota_exceeded);
  CHECK(world.run_as(a_super, create("/q/a", "data")));
  CHECK(world.run_as(a_super, wire::SetRequest{"/q", "more data"}));
}

TEST_CASE("only super may change the quotas of the root, of /zookeeper and of missing nodes") {
  World world;
  for (const char* path : {"/", "/zookeeper", "/zookeeper/quota", "/none", "/none/below"}) {
    CAPTURE(path);
    const std::string limits = limits_path(path);
    const auto refused = world.plan(create(limits, "countHardLimit=100"));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().error.code == ErrorCode::no_auth);
    CHECK(refused.error().error.message.ends_with(
        " takes ACLs and quotas only from the super identity (superDigest)"));
    REQUIRE(world.run_as(a_super, create(limits, "countHardLimit=100")));
    CHECK(world.plan(wire::SetRequest{limits, ""}).error().error.code == ErrorCode::no_auth);
    CHECK(world.plan(wire::DeleteRequest{limits}).error().error.code == ErrorCode::no_auth);
    REQUIRE(world.run_as(a_super, wire::DeleteRequest{limits}));
  }
}

TEST_CASE("limits of the root that leave no room are refused") {
  World world;
  world.create("/a", "12345");
  const std::string path = limits_path("/");
  const auto refused = [&](const wire::Bytes& text) {
    const auto planned = world.plan_as(a_super, wire::SetRequest{path, text, -1, true});
    REQUIRE_FALSE(planned);
    CHECK(planned.error().error.code == ErrorCode::bad_arguments);
    return planned.error().error.message;
  };
  // Five nodes exist, and the quota has two more.
  CHECK(refused("countHardLimit=7") ==
        path + " would stop everybody: countHardLimit=7 is not above the 7 nodes that exist");
  CHECK(refused("countHardLimit=0").starts_with(path + " would stop everybody"));
  CHECK(refused("byteHardLimit=21") ==
        path + " would stop everybody: byteHardLimit=21 is not above the 21 bytes that exist");
  CHECK(world.plan_as(a_super, create(path, "countHardLimit=0")).error().error.code ==
        ErrorCode::bad_arguments);
  limit(world, "/", "countHardLimit=8");
  CHECK(world.plan_as(a_super, wire::SetRequest{path, "countHardLimit=7"}).error().error.code ==
        ErrorCode::bad_arguments);
  CHECK(world.run(create("/b")));
}

// Whoever has no ADMIN on /app/tenant must not delete its quota with that of /app.
TEST_CASE("a recursive deletion of quotas needs ADMIN on every limited node") {
  const Caller tenant{World::me, alice};
  World world;
  world.create("/app");
  wire::CreateRequest request = create("/app/tenant");
  request.acl = wire::Acl{{"digest", "alice:hash", 31}};
  REQUIRE(world.run_as(tenant, request));
  REQUIRE(world.run(create(limits_path("/app"))));
  REQUIRE(world.run_as(tenant, create(limits_path("/app/tenant"), "countHardLimit=1")));

  const wire::DeleteRequest all{"/zookeeper/quota/app", -1, true};
  CHECK(world.plan(all).error().error ==
        wire::Error{ErrorCode::no_auth,
                    "/app/tenant does not grant this client the permission admin"});
  CHECK(world.plan(wire::MultiRequest{{wire::DeleteRequest{limits_path("/app")}, all}})
            .error()
            .error.code == ErrorCode::no_auth);
  // The limits are gone, and the rest of the quota is left.
  REQUIRE(world.plan_as(tenant, wire::DeleteRequest{limits_path("/app/tenant")}));
  CHECK(world.plan(all).error().error.code == ErrorCode::no_auth);
  REQUIRE(world.plan_as(tenant, wire::DeleteRequest{"/zookeeper/quota/app/tenant", -1, true}));
  CHECK(world.plan(all));
}

TEST_CASE("setting a quota needs ADMIN on the limited node and a valid limits node") {
  const Caller owner{World::me, Identities::of({{"digest", "me:hash"}})};
  World world;
  wire::CreateRequest request = create("/mine");
  request.acl = wire::Acl{{"auth", "", 31}};
  REQUIRE(world.run_as(owner, request));
  world.create("/open");

  struct Row {
    const char* mistake;
    wire::MultiOp op;
    ErrorCode code;
  };
  wire::CreateRequest ephemeral = create(limits_path("/mine"));
  ephemeral.ephemeral = true;
  for (const Row& row : {
           Row{"without ADMIN", create(limits_path("/mine")), ErrorCode::no_auth},
           Row{"without ADMIN, by set", wire::SetRequest{limits_path("/mine"), "", -1, true},
               ErrorCode::no_auth},
           Row{"without ADMIN, below it", create(limits_path("/mine/x/y")), ErrorCode::no_auth},
           Row{"invalid limits", create(limits_path("/open"), "much"), ErrorCode::bad_arguments},
           Row{"the stats node", create("/zookeeper/quota/zookeeper_stats"),
               ErrorCode::bad_arguments},
           Row{"another node below /zookeeper/quota", create("/zookeeper/quota/a"),
               ErrorCode::bad_arguments},
           Row{"the reserved nodes", wire::DeleteRequest{"/zookeeper/quota", -1, true},
               ErrorCode::bad_arguments},
           Row{"a missing limits node", wire::SetRequest{limits_path("/open"), ""},
               ErrorCode::no_node},
       }) {
    CAPTURE(row.mistake);
    const auto planned = world.plan(wire::MultiRequest{{row.op}});
    REQUIRE_FALSE(planned);
    CHECK(planned.error().error.code == row.code);
  }
  CHECK(world.plan_as(owner, ephemeral).error().error.code == ErrorCode::bad_arguments);

  const auto reply = world.run_as(owner, create(limits_path("/mine"), "countHardLimit=1"));
  REQUIRE(reply);
  CHECK(std::get<wire::CreateReply>(*reply).path == "/zookeeper/quota/mine/zookeeper_limits");
  CHECK(world.run(create(limits_path("/mine"))).error().code == ErrorCode::no_auth);
  CHECK(world.run_as(owner, create(limits_path("/mine"))).error().code == ErrorCode::node_exists);
  CHECK(stats(world, "/mine") == "count=1,bytes=0");
  CHECK(world.plan(wire::DeleteRequest{limits_path("/mine")}).error().error.code ==
        ErrorCode::no_auth);
  CHECK(world.run_as(owner, wire::DeleteRequest{limits_path("/mine")}));
  CHECK(world.run_as(owner, create("/mine/child")));
}

}  // namespace
}  // namespace znode
