#include "znode/pending_tree.h"

#include <string>
#include <variant>

#include <doctest/doctest.h>

#include "tests/znode/world.h"

namespace znode {
namespace {

using wire::DeleteRequest;
using wire::ErrorCode;
using wire::SetRequest;

wire::CreateRequest create(std::string path) {
  wire::CreateRequest request;
  request.path = std::move(path);
  return request;
}
wire::CreateRequest ephemeral(std::string path) {
  wire::CreateRequest request = create(std::move(path));
  request.ephemeral = true;
  return request;
}
wire::CreateRequest sequential(std::string path) {
  wire::CreateRequest request = create(std::move(path));
  request.sequential = true;
  return request;
}

ErrorCode refused(const Judged<Txn>& planned) { return planned.error().error.code; }

TEST_CASE("what is planned back to back sees what was planned before") {
  World world;
  REQUIRE(world.plan(create("/a")));
  CHECK(refused(world.plan(create("/a"))) == ErrorCode::node_exists);
  REQUIRE(world.plan(create("/a/b")));
  CHECK(refused(world.plan(DeleteRequest{"/a"})) == ErrorCode::not_empty);
  CHECK(refused(world.plan(SetRequest{"/a", "", 1})) == ErrorCode::bad_version);
  REQUIRE(world.plan(SetRequest{"/a", "x", 0}));
  CHECK(refused(world.plan(SetRequest{"/a", "", 0})) == ErrorCode::bad_version);
  REQUIRE(world.plan(DeleteRequest{"/a/b"}));
  CHECK(refused(world.plan(DeleteRequest{"/a/b"})) == ErrorCode::no_node);
  REQUIRE(world.plan(DeleteRequest{"/a", 1}));
  CHECK(refused(world.plan(create("/a/b"))) == ErrorCode::no_node);
  REQUIRE(world.plan(create("/a")));
  CHECK(world.tree().find("/a") == nullptr);
  CHECK(world.pending().outstanding() == 6);

  world.settle();
  CHECK(world.stat("/a").version == 0);
  CHECK(world.stat("/").cversion == 2);
  CHECK(world.pending().outstanding() == 0);
  CHECK(world.pending().overlay_size() == 0);
}

TEST_CASE("pipelined sequential creations get different numbers") {
  World world;
  world.create("/p");
  for (const char* path : {"/p/n-0000000000", "/p/n-0000000001", "/p/n-0000000002"}) {
    const auto planned = world.plan(sequential("/p/n-"));
    REQUIRE(planned);
    CHECK(std::get<CreateTxn>(*planned).path == path);
    REQUIRE(world.plan(DeleteRequest{path}));
  }
  world.settle();
  CHECK(world.stat("/p").cversion == 6);
}

TEST_CASE("a planned ephemeral parent refuses children") {
  World world;
  REQUIRE(world.plan(ephemeral("/e")));
  CHECK(refused(world.plan(create("/e/x"))) == ErrorCode::no_children_for_ephemerals);
}

TEST_CASE("an entry goes with the last plan that touched it") {
  Tree tree;
  PendingTree pending(tree);
  const auto add = [&](const auto& change) {
    Draft draft(pending);
    change(draft);
    pending.add(std::move(draft));
  };
  tree.insert("/a", "", {});
  add([](Draft& draft) { draft.set("/a", 1); });
  add([](Draft& draft) { draft.create("/a/b", {}); });
  add([](Draft& draft) { draft.set("/a", 2); });
  CHECK(pending.find("/a") ==
        PendingNode{.version = 2, .creations = 1, .child_count = 1, .ephemeral_owner = {}});

  pending.applied();
  CHECK(pending.find("/a")->version == 2);
  tree.insert("/a/b", "", {});
  pending.applied();
  CHECK(pending.overlay_size() == 1);  // /a, by the third
  CHECK(pending.find("/a")->version == 2);
  pending.applied();
  CHECK(pending.overlay_size() == 0);
  CHECK(pending.outstanding() == 0);
}

TEST_CASE("a recursive deletion takes what is planned below it, and not what will be gone") {
  World world;
  world.create("/a").create("/a/old").create("/a/gone").create("/ab");
  REQUIRE(world.plan(DeleteRequest{"/a/gone"}));
  REQUIRE(world.plan(create("/a/new")));
  REQUIRE(world.plan(create("/a/new/x")));
  REQUIRE(world.plan(create("/a!")));
  const auto planned = world.plan(DeleteRequest{"/a", -1, true});
  CHECK(*planned == Txn(DeleteTxn{"/a", 3}));
  CHECK(refused(world.plan(create("/a/again"))) == ErrorCode::no_node);
  world.settle();
  CHECK(world.tree().find("/a") == nullptr);
  CHECK(world.tree().find("/ab") != nullptr);
  CHECK(world.tree().find("/a!") != nullptr);
  CHECK(world.pending().overlay_size() == 0);
}

TEST_CASE("the ephemerals that a session will have") {
  World world;
  world.create_ephemeral("/x").create_ephemeral("/y");
  REQUIRE(world.plan(DeleteRequest{"/x"}));
  REQUIRE(world.plan(ephemeral("/z")));
  REQUIRE(world.plan(ephemeral("/w"), {8}));
  CHECK(world.pending().ephemerals(World::me) == std::vector<std::string>{"/y", "/z"});
  REQUIRE(world.plan(SetRequest{"/y", "touched"}));
  REQUIRE(world.plan(DeleteRequest{"/z"}));
  CHECK(world.pending().ephemerals(World::me) == std::vector<std::string>{"/y"});
  REQUIRE(world.plan(ephemeral("/x")));
  CHECK(world.pending().ephemerals(World::me) == std::vector<std::string>{"/x", "/y"});
  world.settle();
  CHECK(world.pending().ephemerals(World::me) == std::vector<std::string>{"/x", "/y"});
  CHECK(world.pending().ephemerals({8}) == std::vector<std::string>{"/w"});
}

TEST_CASE("plans that never will be applied can be forgotten") {
  Tree tree;
  PendingTree pending(tree);
  Draft draft(pending);
  draft.create("/e", {3});
  pending.add(std::move(draft));
  pending.clear();
  CHECK_FALSE(pending.find("/e"));
  CHECK(pending.ephemerals({3}).empty());
  CHECK(pending.overlay_size() == 0);
  CHECK(pending.outstanding() == 0);
}

}  // namespace
}  // namespace znode
