#include "znode/pending_tree.h"

#include <string>
#include <variant>

#include <doctest/doctest.h>

#include "tests/znode/identities.h"
#include "tests/znode/requests.h"
#include "tests/znode/world.h"

namespace znode {
namespace {

using wire::DeleteRequest;
using wire::ErrorCode;
using wire::SetRequest;

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

ErrorCode refused(const PlanResult<Txn>& planned) { return planned.error().error.code; }

TEST_CASE("a plan sees the changes of earlier plans that are not applied yet") {
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

  world.apply_all();
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
  world.apply_all();
  CHECK(world.stat("/p").cversion == 6);
}

TEST_CASE("a planned ephemeral parent refuses children") {
  World world;
  REQUIRE(world.plan(ephemeral("/e")));
  CHECK(refused(world.plan(create("/e/x"))) == ErrorCode::no_children_for_ephemerals);
}

TEST_CASE("an overlay entry is erased with the last plan that touched it") {
  Tree tree;
  PendingTree pending(tree);
  const auto add = [&](const auto& change) {
    Draft draft(pending);
    change(draft);
    pending.add(std::move(draft));
  };
  tree.insert("/a", "");
  const auto set = [&](std::int32_t version) {
    add([version](Draft& draft) {
      PendingNode node = *draft.find("/a");
      node.version = version;
      draft.set_data("/a", node, 0);
    });
  };
  set(1);
  add([](Draft& draft) { draft.create("/a/b", {}); });
  set(2);
  CHECK(pending.find("/a") == PendingNode{.version = 2,
                                          .creations = 1,
                                          .child_count = 1,
                                          .lifetime = {},
                                          .acl = {},
                                          .limits = {},
                                          .set_by = 3,
                                          .data = {}});

  pending.applied();
  CHECK(pending.find("/a")->version == 2);
  tree.insert("/a/b", "");
  pending.applied();
  CHECK(pending.overlay_size() == 1);  // /a, by the third
  CHECK(pending.find("/a")->version == 2);
  pending.applied();
  CHECK(pending.overlay_size() == 0);
  CHECK(pending.outstanding() == 0);
}

TEST_CASE(
    "a recursive deletion includes planned nodes and excludes nodes already planned to be "
    "deleted") {
  World world;
  world.create("/a").create("/a/old").create("/a/gone").create("/ab");
  REQUIRE(world.plan(DeleteRequest{"/a/gone"}));
  REQUIRE(world.plan(create("/a/new")));
  REQUIRE(world.plan(create("/a/new/x")));
  REQUIRE(world.plan(create("/a!")));
  const auto planned = world.plan(DeleteRequest{"/a", -1, true});
  CHECK(*planned == Txn(DeleteTxn{"/a", 3}));
  CHECK(refused(world.plan(create("/a/again"))) == ErrorCode::no_node);
  world.apply_all();
  CHECK(world.tree().find("/a") == nullptr);
  CHECK(world.tree().find("/ab") != nullptr);
  CHECK(world.tree().find("/a!") != nullptr);
  CHECK(world.pending().overlay_size() == 0);
}

TEST_CASE("ephemerals returns the ephemeral nodes that a session will have") {
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
  world.apply_all();
  CHECK(world.pending().ephemerals(World::me) == std::vector<std::string>{"/x", "/y"});
  CHECK(world.pending().ephemerals({8}) == std::vector<std::string>{"/w"});
}

TEST_CASE("clear drops plans that will not be applied") {
  Tree tree;
  PendingTree pending(tree);
  Draft draft(pending);
  PendingNode node;
  node.lifetime = Lifetime::of_session({3});
  draft.create("/e", node);
  pending.add(std::move(draft));
  pending.clear();
  CHECK_FALSE(pending.find("/e"));
  CHECK(pending.ephemerals({3}).empty());
  CHECK(pending.overlay_size() == 0);
  CHECK(pending.outstanding() == 0);
}

// Checks the prediction for every path, while plans of all kinds are outstanding, against the tree
// after they were applied.
TEST_CASE("the pending tree equals the tree after all plans are applied") {
  std::uint64_t state = 1;
  const auto next = [&state](std::uint64_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % bound;
  };
  std::vector<std::string> paths{"/"};
  for (const char* a : {"/0", "/1", "/2"}) {
    paths.emplace_back(a);
    for (const char* b : {"/0", "/1", "/2"}) {
      paths.push_back(std::string(a) + b);
      for (const char* c : {"/0", "/1"}) paths.push_back(std::string(a) + b + c);
    }
  }

  World world;
  std::vector<std::uint64_t> sessions{1, 2, 3};
  std::uint64_t last_session = 3;
  REQUIRE(world.run_as({World::me, super},
                       SetRequest{limits_path("/0"), "countHardLimit=7", -1, true}));
  for (int round = 0; round < 400; ++round) {
    for (std::uint64_t plans = next(12); plans > 0; --plans) {
      const std::string& path = paths[1 + next(paths.size() - 1)];
      const std::size_t index = next(sessions.size());
      const wire::SessionId session{sessions[index]};
      wire::CreateRequest request = create(path);
      request.data = std::string(next(4), 'x');
      request.ephemeral = next(3) == 0;
      request.parents = next(2) == 0;
      switch (next(8)) {
        case 0:
          static_cast<void>(world.plan_cleanup(session));
          sessions[index] = ++last_session;
          break;
        case 1: static_cast<void>(world.plan(DeleteRequest{path, -1, true})); break;
        case 2: static_cast<void>(world.plan(DeleteRequest{path})); break;
        case 3:
          static_cast<void>(
              world.plan(wire::MultiRequest{{DeleteRequest{path, -1, true}, request,
                                             SetRequest{path, std::string(next(5), 'y')}}},
                         session));
          break;
        case 4: static_cast<void>(world.plan(SetRequest{path, std::string(next(9), 'z')})); break;
        default: static_cast<void>(world.plan(request, session)); break;
      }
      if (next(5) == 0) world.apply_one();
    }

    std::vector<std::optional<PendingNode>> predicted;
    std::vector<Usage> usages;
    std::vector<std::vector<std::string>> owned;
    {
      const Draft draft(world.pending());
      for (const std::string& path : paths) {
        predicted.push_back(draft.find(path));
        usages.push_back(draft.usage(path));
      }
      for (const std::uint64_t session : sessions) {
        owned.push_back(world.pending().ephemerals({session}));
      }
    }
    world.apply_all();
    CHECK(world.pending().overlay_size() == 0);
    const Draft draft(world.pending());
    for (std::size_t i = 0; i < paths.size(); ++i) {
      CAPTURE(round);
      CAPTURE(paths[i]);
      std::optional<PendingNode> node = draft.find(paths[i]);
      REQUIRE(node.has_value() == predicted[i].has_value());
      if (node) {
        CHECK(node->version == predicted[i]->version);
        CHECK(node->creations == predicted[i]->creations);
        CHECK(node->child_count == predicted[i]->child_count);
        CHECK(node->data_size == predicted[i]->data_size);
        CHECK(node->lifetime == predicted[i]->lifetime);
        CHECK(node->mtime == predicted[i]->mtime);
      }
      CHECK(draft.usage(paths[i]) == usages[i]);
    }
    for (std::size_t i = 0; i < sessions.size(); ++i) {
      CHECK(world.tree().ephemerals({sessions[i]}) == owned[i]);
    }
    CHECK(world.tree().ephemeral_owner_count() <= sessions.size());
    const Node* limited = world.tree().find("/0");
    if (limited) CHECK(limited->descendant_count() < 7);
  }
}

TEST_CASE("a deletion of too many nodes in one transaction is refused") {
  World world;
  world.create("/big").create("/big/a");
  for (std::size_t i = 0; i + 1 < deleted_nodes_max; ++i) {
    world.tree().insert("/big/a/" + std::to_string(i), "");
  }
  REQUIRE(world.plan(DeleteRequest{"/big/a", -1, true}));
  REQUIRE(world.plan(create("/big/a")));
  REQUIRE(world.plan(DeleteRequest{"/big/a", -1, true}));
  world.apply_all();
  world.create("/big/a");
  for (std::size_t i = 0; i + 1 < deleted_nodes_max; ++i) {
    world.tree().insert("/big/a/" + std::to_string(i), "");
  }
  world.create("/big/b");
  const auto refusal = world.plan(DeleteRequest{"/big", -1, true});
  CHECK(refused(refusal) == ErrorCode::too_large);
  CHECK(refusal.error().error.message ==
        "/big has 10001 nodes below it; one transaction deletes at most 10000: delete it in "
        "parts");
  // The operations of a multi are counted together.
  REQUIRE(world.plan(create("/big/b/1")));
  REQUIRE(world.plan(create("/big/b/2")));
  CHECK(refused(world.plan(wire::MultiRequest{
            {DeleteRequest{"/big/b", -1, true}, DeleteRequest{"/big/a", -1, true}}})) ==
        ErrorCode::too_large);
  CHECK(world.plan(DeleteRequest{"/big/a", -1, true}));
}

TEST_CASE("a creation of too many nodes in one transaction is refused") {
  // The n-th of them creates `depth` nodes.
  const auto deep = [](std::size_t number, std::size_t depth) {
    wire::CreateRequest request = create("/" + std::to_string(number));
    for (std::size_t at = 1; at < depth; ++at) request.path += "/x";
    request.parents = true;
    return request;
  };
  World world;
  wire::MultiRequest multi;
  for (std::size_t i = 0; i < 80; ++i) multi.ops.emplace_back(deep(i, 125));
  static_assert(created_nodes_max == 80 * 125);
  multi.ops.emplace_back(deep(80, 1));
  const auto refusal = world.plan(multi);
  REQUIRE(refused(refusal) == ErrorCode::too_large);
  CHECK(refusal.error().error.message ==
        "one transaction creates at most 10000 nodes, missing parents included: create them in "
        "parts");
  CHECK(refusal.error().multi->failed == 80);

  // A set that creates counts too, and so do the nodes of a quota: two, and the limited node's.
  for (const wire::MultiOp& last : {wire::MultiOp(SetRequest{"/set", "", wire::any_version, true}),
                                    wire::MultiOp(SetRequest{"/zookeeper/quota/0/zookeeper_limits",
                                                             "count=1", wire::any_version, true}),
                                    wire::MultiOp(create("/zookeeper/quota/0/zookeeper_limits"))}) {
    multi.ops.back() = last;
    if (auto* quota = std::get_if<wire::CreateRequest>(&multi.ops.back())) quota->data = "count=1";
    CHECK(refused(world.plan(multi)) == ErrorCode::too_large);
  }
  CHECK(world.pending().outstanding() == 0);

  multi.ops.pop_back();
  REQUIRE(world.plan(multi));
  world.apply_all();
  CHECK(world.tree().size() == Tree().size() + created_nodes_max);
}

}  // namespace
}  // namespace znode
