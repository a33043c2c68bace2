#include <string>
#include <utility>
#include <variant>

#include <doctest/doctest.h>

#include "tests/znode/requests.h"
#include "tests/znode/world.h"

namespace znode {
namespace {

using wire::CreateRequest;
using wire::ErrorCode;

template <class... Change>
CreateRequest create_with(std::string path, Change... change) {
  CreateRequest request = create(std::move(path));
  (change(request), ...);
  return request;
}

void ephemeral(CreateRequest& request) { request.ephemeral = true; }
void sequential(CreateRequest& request) { request.sequential = true; }
void parents(CreateRequest& request) { request.parents = true; }
void container(CreateRequest& request) { request.container = true; }
void ttl(CreateRequest& request) { request.ttl_ms = 1000; }
void empty_acl(CreateRequest& request) { request.acl = wire::Acl{}; }
void no_ttl(CreateRequest& request) { request.ttl_ms = 0; }
void long_ttl(CreateRequest& request) { request.ttl_ms = ttl_ms_max + 1; }
void open_acl(CreateRequest& request) { request.acl = wire::open_acl(); }

std::string created(World& world, const CreateRequest& request) {
  return std::get<wire::CreateReply>(*world.run(request)).path;
}

TEST_CASE("create refuses with the first error that applies") {
  struct Row {
    CreateRequest request;
    ErrorCode code;
    const char* message;
  };
  World world;
  world.create("/a").create("/a/b").create_ephemeral("/e");

  for (const Row& row : {
           Row{create_with("bad", ttl, ephemeral), ErrorCode::bad_arguments,
               "ttlMs: the node is ephemeral"},
           Row{create_with("bad", ttl, container), ErrorCode::bad_arguments,
               "ttlMs: the node is a container"},
           Row{create_with("bad", no_ttl), ErrorCode::bad_arguments,
               "ttlMs: must be between 1 and 1099511627775"},
           Row{create_with("bad", long_ttl), ErrorCode::bad_arguments,
               "ttlMs: must be between 1 and 1099511627775"},
           Row{create_with("bad", container, ephemeral), ErrorCode::bad_arguments,
               "container: the node is ephemeral"},
           Row{create_with("bad", container, sequential), ErrorCode::bad_arguments,
               "container: the node is sequential"},
           Row{create_with("bad", empty_acl), ErrorCode::bad_arguments,
               "the path \"bad\" does not begin with /"},
           Row{create("/none/x/"), ErrorCode::bad_arguments, "the path \"/none/x/\" ends with /"},
           Row{create("/zookeeper"), ErrorCode::bad_arguments,
               "/zookeeper is reserved: clients can only read it"},
           Row{create_with("/zookeeper/none/x", parents), ErrorCode::bad_arguments,
               "/zookeeper/none/x is reserved: clients can only read it"},
           Row{create_with("/zookeeper/", sequential), ErrorCode::bad_arguments,
               "/zookeeper/ is reserved: clients can only read it"},
           Row{create_with("/none/x", empty_acl), ErrorCode::invalid_acl, "acl: the list is empty"},
           Row{create("/none/x"), ErrorCode::no_node, "/none does not exist"},
           Row{create_with("/none/", sequential), ErrorCode::no_node, "/none does not exist"},
           Row{create("/"), ErrorCode::node_exists, "/ already exists"},
           Row{create("/a"), ErrorCode::node_exists, "/a already exists"},
           Row{create_with("/a/b", parents), ErrorCode::node_exists, "/a/b already exists"},
           Row{create("/e/x"), ErrorCode::no_children_for_ephemerals,
               "/e is ephemeral and cannot have children"},
           Row{create_with("/e/x/y", parents), ErrorCode::no_children_for_ephemerals,
               "/e is ephemeral and cannot have children"},
       }) {
    CAPTURE(row.request.path);
    const auto planned = world.plan(row.request);
    REQUIRE_FALSE(planned);
    CHECK(planned.error().error.code == row.code);
    CHECK(planned.error().error.message == row.message);
  }
  CHECK(world.pending().outstanding() == 0);
  CHECK(world.pending().overlay_size() == 0);
}

TEST_CASE("create sets the stats of the new node and its parent") {
  World world;
  world.create("/a");  // 1:1
  CreateRequest request = create_with("/a/b", open_acl);
  request.data = "12345";
  const auto reply = world.run(request);  // 1:2

  const wire::Stat expected{.czxid = {{1}, 2},
                            .mzxid = {{1}, 2},
                            .pzxid = {{1}, 2},
                            .ctime = 2000,
                            .mtime = 2000,
                            .ephemeral_owner = {},
                            .data_length = 5,
                            .ttl_ms = {}};
  CHECK(world.stat("/a/b") == expected);
  CHECK(std::get<wire::CreateReply>(*reply) == wire::CreateReply{"/a/b", expected});

  CHECK(world.stat("/a") == wire::Stat{.czxid = {{1}, 1},
                                       .mzxid = {{1}, 1},
                                       .pzxid = {{1}, 2},
                                       .ctime = 1000,
                                       .mtime = 1000,
                                       .cversion = 1,
                                       .ephemeral_owner = {},
                                       .num_children = 1,
                                       .ttl_ms = {}});
}

TEST_CASE("the parent's cversion counts creations and deletions") {
  World world;
  world.create("/p").create("/p/a").create("/p/b").create("/p/c");
  CHECK(world.stat("/p").cversion == 3);
  world.remove("/p/a").remove("/p/b");
  CHECK(world.stat("/p").cversion == 5);
  CHECK(world.stat("/p").num_children == 1);
  CHECK(world.stat("/p").version == 0);
  CHECK(world.stat("/").cversion == 0);  // it began with -1
}

TEST_CASE("an ephemeral node has the id of its session") {
  World world;
  world.run(create_with("/e", ephemeral), {42});
  CHECK(world.stat("/e").ephemeral_owner == wire::SessionId{42});
  CHECK(world.tree().ephemerals({42}) == std::vector<std::string>{"/e"});
}

TEST_CASE("sequence numbers count the parent's creations and survive deletions") {
  World world;
  world.create("/p");
  CHECK(created(world, create_with("/p/x-", sequential)) == "/p/x-0000000000");
  CHECK(created(world, create_with("/p/x-", sequential)) == "/p/x-0000000001");
  world.remove("/p/x-0000000001");
  CHECK(created(world, create_with("/p/x-", sequential)) == "/p/x-0000000002");
  world.create("/p/plain");
  CHECK(created(world, create_with("/p/y-", sequential)) == "/p/y-0000000004");
  world.remove("/p/plain").remove("/p/y-0000000004");
  world.remove("/p/x-0000000000").remove("/p/x-0000000002");
  CHECK(created(world, create_with("/p/", sequential)) == "/p/0000000005");
  CHECK(created(world, create_with("/zookeeper", sequential)) == "/zookeeper0000000001");
}

TEST_CASE("a sequential node whose name exists already is refused, as in ZooKeeper") {
  World world;
  world.create("/p").create("/p/x0000000001");
  CHECK(world.run(create_with("/p/x", sequential)).error().code == ErrorCode::node_exists);
}

TEST_CASE("the count of creations wraps") {
  CHECK(next_creation(2147483647) == -2147483647 - 1);
  CHECK(next_creation(-1) == 0);
}

TEST_CASE("missing parents are created with the node, in one transaction") {
  World world;
  world.create("/a");
  const auto reply = world.run(create_with("/a/b/c/n-", parents, sequential, ephemeral));
  REQUIRE(reply);
  CHECK(std::get<wire::CreateReply>(*reply).path == "/a/b/c/n-0000000000");
  for (const char* path : {"/a/b", "/a/b/c"}) {
    CAPTURE(path);
    CHECK(world.stat(path).czxid == wire::Zxid{{1}, 2});
    CHECK(world.stat(path).pzxid == wire::Zxid{{1}, 2});
    CHECK(world.stat(path).cversion == 1);
    CHECK(world.stat(path).ephemeral_owner.none());
  }
  CHECK(world.stat("/a/b/c/n-0000000000").ephemeral_owner == World::me);

  // Where none is missing, `parents` changes nothing.
  CHECK(created(world, create_with("/a/b/c/n-", parents, sequential)) == "/a/b/c/n-0000000001");
}

}  // namespace
}  // namespace znode
