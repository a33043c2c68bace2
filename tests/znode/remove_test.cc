#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/znode/world.h"

namespace znode {
namespace {

using wire::DeleteRequest;
using wire::ErrorCode;

TEST_CASE("delete refuses with the first error that applies") {
  struct Row {
    DeleteRequest request;
    ErrorCode code;
    const char* message;
  };
  World world;
  world.create("/a").create("/a/b").set("/a", "1");

  for (const Row& row : {
           Row{{"a", 7}, ErrorCode::bad_arguments, "the path \"a\" does not begin with /"},
           Row{{"/", 7}, ErrorCode::bad_arguments, "/ cannot be deleted"},
           Row{{"/", -1, true}, ErrorCode::bad_arguments, "/ cannot be deleted"},
           Row{{"/zookeeper", -1, true},
               ErrorCode::bad_arguments,
               "/zookeeper is reserved: clients can only read it"},
           Row{{"/zookeeper/quota"},
               ErrorCode::bad_arguments,
               "/zookeeper/quota is reserved: clients can only read it"},
           Row{{"/none", 7}, ErrorCode::no_node, "/none does not exist"},
           Row{{"/none/x"}, ErrorCode::no_node, "/none/x does not exist"},
           Row{{"/none", -1, true}, ErrorCode::no_node, "/none does not exist"},
           Row{{"/a", 0}, ErrorCode::bad_version, "/a has version 1, not 0"},
           Row{{"/a", 0, true}, ErrorCode::bad_version, "/a has version 1, not 0"},
           Row{{"/a", 1}, ErrorCode::not_empty, "/a has children"},
       }) {
    CAPTURE(row.message);
    const auto planned = world.plan(row.request);
    REQUIRE_FALSE(planned);
    CHECK(planned.error().error.code == row.code);
    CHECK(planned.error().error.message == row.message);
  }
}

TEST_CASE("delete updates the parent's stat") {
  World world;
  world.create("/p").create("/p/a");             // 1:1, 1:2
  REQUIRE(world.run(DeleteRequest{"/p/a", 0}));  // 1:3
  CHECK(world.tree().find("/p/a") == nullptr);
  CHECK(world.stat("/p") == wire::Stat{.czxid = {{1}, 1},
                                       .mzxid = {{1}, 1},
                                       .pzxid = {{1}, 3},
                                       .ctime = 1000,
                                       .mtime = 1000,
                                       .cversion = 2,
                                       .ephemeral_owner = {},
                                       .ttl_ms = {}});
}

TEST_CASE("a node that is created again has new counters") {
  World world;
  world.create("/a").set("/a", "1").create("/a/b").remove("/a/b").remove("/a").create("/a");
  CHECK(world.stat("/a").version == 0);
  CHECK(world.stat("/a").cversion == 0);
}

TEST_CASE("a recursive delete removes exactly the subtree, in one transaction") {
  World world;
  world.create("/p").create("/p/a").create("/p/a/x").create("/p/a/y").create("/p/ab");
  world.create_ephemeral("/p/a/x/e");
  const auto planned = world.plan(DeleteRequest{"/p/a", 0, true});
  REQUIRE(planned);
  CHECK(*planned == Txn(DeleteTxn{"/p/a", 3}));
  world.apply_all();

  CHECK(world.tree().find("/p/a") == nullptr);
  CHECK(world.tree().find("/p/a/x/e") == nullptr);
  CHECK(world.tree().find("/p/ab") != nullptr);
  CHECK(world.tree().ephemerals(World::me).empty());
  CHECK(world.tree().at("/p").descendant_count() == 1);
  CHECK(world.stat("/p").cversion == 3);
  CHECK(world.stat("/p").pzxid == world.now().zxid);
  CHECK(world.pending().overlay_size() == 0);

  std::vector<std::string> changes;
  for (const Change& change : world.changes()) {
    changes.push_back(std::string(name(change.kind)) + ' ' + change.path);
  }
  CHECK(changes == std::vector<std::string>{"deleted /p/a/x/e", "deleted /p/a/x", "deleted /p/a/y",
                                            "deleted /p/a", "children /p"});
}

TEST_CASE("the end of a session deletes all its ephemeral nodes, planned ones too") {
  World world;
  world.create("/p");
  world.create_ephemeral("/p/1", {1}).create_ephemeral("/p/2", {2}).create_ephemeral("/3", {1});
  wire::CreateRequest request;
  request.path = "/p/4";
  request.ephemeral = true;
  REQUIRE(world.plan(request, {1}));
  REQUIRE(world.plan(DeleteRequest{"/3"}));

  CHECK(world.plan_cleanup({1}) == CleanupTxn{{1}, 2});
  CHECK(world.plan_cleanup({2}) == CleanupTxn{{2}, 1});
  world.apply_all();
  CHECK(world.tree().find("/p/1") == nullptr);
  CHECK(world.tree().find("/p/4") == nullptr);
  CHECK(world.tree().find("/p/2") == nullptr);
  CHECK(world.stat("/p").cversion == 6);
}

}  // namespace
}  // namespace znode
