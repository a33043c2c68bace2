#include <limits>
#include <variant>

#include <doctest/doctest.h>

#include "tests/znode/world.h"

namespace znode {
namespace {

using wire::ErrorCode;
using wire::SetRequest;

TEST_CASE("set refuses with the first error that applies") {
  struct Row {
    SetRequest request;
    ErrorCode code;
    const char* message;
  };
  World world;
  world.create("/a").set("/a", "1").create_ephemeral("/e");

  for (const Row& row : {
           Row{{"/a/", "", 7}, ErrorCode::bad_arguments, "the path \"/a/\" ends with /"},
           Row{{"/zookeeper/config", ""},
               ErrorCode::bad_arguments,
               "/zookeeper/config is reserved: clients can only read it"},
           Row{{"/none", "", 7}, ErrorCode::no_node, "/none does not exist"},
           Row{{"/none", "", 7, true}, ErrorCode::no_node, "/none does not exist"},
           Row{{"/none/x", "", -1, true}, ErrorCode::no_node, "/none does not exist"},
           Row{{"/e/x", "", -1, true},
               ErrorCode::no_children_for_ephemerals,
               "/e is ephemeral and cannot have children"},
           Row{{"/a", "", 0}, ErrorCode::bad_version, "/a has version 1, not 0"},
           Row{{"/a", "", 2, true}, ErrorCode::bad_version, "/a has version 1, not 2"},
       }) {
    CAPTURE(row.message);
    const auto planned = world.plan(row.request);
    REQUIRE_FALSE(planned);
    CHECK(planned.error().error.code == row.code);
    CHECK(planned.error().error.message == row.message);
  }
}

TEST_CASE("set updates the node's data and stat") {
  World world;
  world.create("/a", "old");                                      // 1:1
  const auto reply = world.run(SetRequest{"/a", "new data", 0});  // 1:2
  const wire::Stat expected{.czxid = {{1}, 1},
                            .mzxid = {{1}, 2},
                            .pzxid = {{1}, 1},
                            .ctime = 1000,
                            .mtime = 2000,
                            .version = 1,
                            .ephemeral_owner = {},
                            .data_length = 8,
                            .ttl_ms = {}};
  CHECK(std::get<wire::SetReply>(*reply).stat == expected);
  CHECK(world.stat("/a") == expected);
  CHECK(world.tree().at("/a").data() == "new data");
  CHECK(world.stat("/").pzxid == wire::Zxid{{1}, 1});
}

TEST_CASE("the data of the root can be set") {
  World world;
  REQUIRE(world.run(SetRequest{"/", "x"}));
  CHECK(world.stat("/").version == 1);
  CHECK(world.stat("/").cversion == -1);
}

TEST_CASE("set with create: true creates a missing node and sets an existing one") {
  World world;
  REQUIRE(world.run(SetRequest{"/a", "1", -1, true}));
  CHECK(world.stat("/a").version == 0);
  CHECK(world.stat("/a").czxid == wire::Zxid{{1}, 1});
  CHECK(world.stat("/").cversion == 0);
  CHECK(world.changes().at(0).kind == wire::EventKind::created);

  const auto reply = world.run(SetRequest{"/a", "2", -1, true});
  CHECK(std::get<wire::SetReply>(*reply).stat.version == 1);
  CHECK(world.stat("/a").czxid == wire::Zxid{{1}, 1});
  CHECK(world.changes().at(0).kind == wire::EventKind::changed);
}

TEST_CASE("a version is never -1, because -1 means any version") {
  CHECK(next_version(0) == 1);
  CHECK(next_version(std::numeric_limits<std::int32_t>::max()) ==
        std::numeric_limits<std::int32_t>::min());
  CHECK(next_version(-2) == 0);
}

}  // namespace
}  // namespace znode
