#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "tests/znode/requests.h"
#include "tests/znode/world.h"

namespace znode {
namespace {

using wire::CheckRequest;
using wire::ChildrenRequest;
using wire::DeleteRequest;
using wire::ErrorCode;
using wire::GetRequest;
using wire::MultiRequest;
using wire::SetRequest;

wire::MultiReply multi(World& world, std::vector<wire::MultiOp> ops) {
  return std::get<wire::MultiReply>(*world.run(MultiRequest{std::move(ops)}));
}

TEST_CASE("each operation of a multi sees the changes of the earlier ones") {
  World world;
  world.create("/a", "0");  // 1:1
  const wire::MultiReply reply =
      multi(world, {                 // 1:2
                    create("/a/b"),  //
                    SetRequest{"/a/b", "1", 0}, CheckRequest{"/a/b", 1}, GetRequest{"/a/b", {}},
                    SetRequest{"/a/b", "22", 1}, GetRequest{"/a/b", {}}, create("/a/c"),
                    ChildrenRequest{.path = "/a", .after = {}, .limit = {}, .read = {}},
                    DeleteRequest{"/a/b", 2}, DeleteRequest{"/a/c"}, SetRequest{"/a", "x", 0}});
  CHECK_FALSE(reply.failed);
  REQUIRE(reply.results.size() == 11);
  CHECK(std::get<wire::CreateReply>(*reply.results[0]).path == "/a/b");
  CHECK(std::get<wire::CreateReply>(*reply.results[0]).stat.version == 0);
  CHECK(std::get<wire::SetReply>(*reply.results[1]).stat.version == 1);
  CHECK(*reply.results[2] == wire::OpReply(wire::EmptyReply{}));
  CHECK(std::get<wire::GetReply>(*reply.results[3]).data == "1");
  CHECK(std::get<wire::GetReply>(*reply.results[5]).data == "22");
  CHECK(std::get<wire::GetReply>(*reply.results[5]).stat.version == 2);
  CHECK(std::get<wire::ChildrenReply>(*reply.results[7]).children.size() == 2);
  CHECK(*reply.results[8] == wire::OpReply(wire::EmptyReply{}));

  CHECK(world.stat("/a") == wire::Stat{.czxid = {{1}, 1},
                                       .mzxid = {{1}, 2},
                                       .pzxid = {{1}, 2},
                                       .ctime = 1000,
                                       .mtime = 2000,
                                       .version = 1,
                                       .cversion = 4,
                                       .ephemeral_owner = {},
                                       .data_length = 1,
                                       .ttl_ms = {}});
}

TEST_CASE("a failed multi reports each operation's error and changes nothing") {
  struct Row {
    const char* failure;
    std::vector<wire::MultiOp> ops;
    std::size_t failed;
    ErrorCode code;
  };
  World world;
  world.create("/a").create("/a/b");

  for (const Row& row : {
           Row{"the first", {DeleteRequest{"/a"}, create("/x")}, 0, ErrorCode::not_empty},
           Row{"the last",
               {create("/x"), SetRequest{"/x", ""}, DeleteRequest{"/y"}},
               2,
               ErrorCode::no_node},
           Row{"one in between, of two",
               {create("/x"), create("/x"), DeleteRequest{"/y"}},
               1,
               ErrorCode::node_exists},
           Row{"a check", {SetRequest{"/a", ""}, CheckRequest{"/a", 0}}, 1, ErrorCode::bad_version},
           Row{"a read", {create("/x"), GetRequest{"/y", {}}}, 1, ErrorCode::no_node},
           Row{"a read that sets a watch",
               {GetRequest{"/a", {.consistency = {}, .watch = true}}},
               0,
               ErrorCode::bad_arguments},
           Row{"after a recursive deletion",
               {DeleteRequest{"/a", -1, true}, create("/a/b/c")},
               1,
               ErrorCode::no_node},
       }) {
    CAPTURE(row.failure);
    const auto planned = world.plan(MultiRequest{row.ops});
    REQUIRE_FALSE(planned);
    CHECK(planned.error().error.code == row.code);
    const wire::MultiReply reply = planned.error().multi.value();
    CHECK(reply.failed == row.failed);
    REQUIRE(reply.results.size() == row.ops.size());
    for (std::size_t i = 0; i < row.ops.size(); ++i) {
      CAPTURE(i);
      const wire::Error error = reply.results[i].error();
      CHECK(error.code == (i == row.failed ? row.code : ErrorCode::runtime_inconsistency));
      if (i < row.failed) CHECK(error.message.starts_with("rolled back"));
      if (i > row.failed) CHECK(error.message.starts_with("not attempted"));
    }
    // ZOOKEEPER-1624: later requests are not planned against the failed multi's changes.
    CHECK(world.pending().outstanding() == 0);
    CHECK(world.pending().overlay_size() == 0);
    CHECK_FALSE(world.pending().find("/x"));
  }
  CHECK(world.stat("/a").version == 0);
  CHECK(world.run(create("/x")));
}

TEST_CASE("a failed multi does not change earlier plans") {
  World world;
  REQUIRE(world.plan(create("/a")));
  REQUIRE_FALSE(world.plan(MultiRequest{{SetRequest{"/a", "1"}, create("/a/b"), create("/a")}}));
  CHECK(world.pending().find("/a")->version == 0);
  CHECK(world.pending().find("/a")->child_count == 0);
  CHECK_FALSE(world.pending().find("/a/b"));
  REQUIRE(world.plan(SetRequest{"/a", "2", 0}));
  world.apply_all();
  CHECK(world.stat("/a").version == 1);
  CHECK(world.stat("/a").cversion == 0);
}

TEST_CASE("sequential nodes of one multi get numbers in order") {
  World world;
  wire::CreateRequest request = create("/n-");
  request.sequential = true;
  const wire::MultiReply reply =
      multi(world, {request, request, DeleteRequest{"/n-0000000000"}, request});
  CHECK(std::get<wire::CreateReply>(*reply.results[0]).path == "/n-0000000000");
  CHECK(std::get<wire::CreateReply>(*reply.results[1]).path == "/n-0000000001");
  CHECK(std::get<wire::CreateReply>(*reply.results[3]).path == "/n-0000000002");
}

TEST_CASE("a multi without operations succeeds") {
  World world;
  CHECK(multi(world, {}) == wire::MultiReply{});
}

TEST_CASE("a multi reports each change once, with the final data and stat") {
  World world;
  world.create("/a", "0");
  multi(world, {SetRequest{"/a", "1"}, SetRequest{"/a", "2"}, create("/a/x"), create("/a/y"),
                DeleteRequest{"/a/y"}});
  std::vector<std::string> changes;
  for (const Change& change : world.changes()) {
    changes.push_back(std::string(name(change.kind)) + ' ' + change.path);
  }
  CHECK(changes == std::vector<std::string>{"changed /a", "created /a/x", "children /a",
                                            "created /a/y", "deleted /a/y"});
  CHECK(world.changes()[0].data == wire::SharedBytes("2"));
  CHECK(world.changes()[0].stat->version == 2);
  CHECK(world.changes()[2].stat->num_children == 1);
  CHECK_FALSE(world.changes()[2].data);
  CHECK_FALSE(world.changes()[3].stat);
  CHECK_FALSE(world.changes()[4].stat);
}

TEST_CASE("two sets of the same node in a multi are one change") {
  World world;
  world.create("/a", "0");
  multi(world, {SetRequest{"/a", "1"}, SetRequest{"/a", "2"}});
  REQUIRE(world.changes().size() == 1);
  CHECK(world.changes()[0].data == wire::SharedBytes("2"));
}

TEST_CASE("a multi reports each creation and deletion of the same node") {
  World world;
  world.create("/a");
  multi(world, {DeleteRequest{"/a"}, create("/a"), SetRequest{"/a", "1"}, DeleteRequest{"/a"}});
  std::vector<std::string> changes;
  for (const Change& change : world.changes()) {
    changes.push_back(std::string(name(change.kind)) + ' ' + change.path);
  }
  CHECK(changes == std::vector<std::string>{"deleted /a", "children /", "created /a", "changed /a",
                                            "deleted /a"});
}

}  // namespace
}  // namespace znode
