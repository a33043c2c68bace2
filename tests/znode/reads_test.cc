#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/znode/world.h"

namespace znode {
namespace {

const Caller anyone;

using wire::ChildrenRequest;
using wire::ErrorCode;

ChildrenRequest children(std::string path, std::optional<std::string> after = {},
                         std::optional<std::uint32_t> limit = {}) {
  ChildrenRequest request;
  request.path = std::move(path);
  request.after = std::move(after);
  request.limit = limit;
  return request;
}

ChildrenRequest reversed(ChildrenRequest request) {
  request.reverse = true;
  return request;
}

ChildrenRequest before(std::string name, ChildrenRequest request) {
  request.before = std::move(name);
  return request;
}

TEST_CASE("reads of missing nodes and of invalid paths are refused") {
  const Tree tree;
  CHECK(read(wire::GetRequest{"/x", {}}, anyone, tree).error().code == ErrorCode::no_node);
  CHECK(read(children("/x"), anyone, tree).error().code == ErrorCode::no_node);
  CHECK(read(wire::CountRequest{"/x", {}}, anyone, tree).error().code == ErrorCode::no_node);
  CHECK_FALSE(read(wire::ExistsRequest{"/x", {}}, anyone, tree)->stat);

  CHECK(read(wire::GetRequest{"x", {}}, anyone, tree).error().code == ErrorCode::bad_arguments);
  CHECK(read(children("x"), anyone, tree).error().code == ErrorCode::bad_arguments);
  CHECK(read(wire::CountRequest{"x", {}}, anyone, tree).error().code == ErrorCode::bad_arguments);
  CHECK(read(wire::ExistsRequest{"x", {}}, anyone, tree).error().code == ErrorCode::bad_arguments);
  CHECK(read(wire::GetAclRequest{"x"}, anyone, tree).error().code == ErrorCode::bad_arguments);
  CHECK(read(wire::GetAclRequest{"/x"}, anyone, tree).error().code == ErrorCode::no_node);
}

TEST_CASE("get and exists return the data and stat, count the number of nodes below") {
  World world;
  world.create("/a", std::string("\0\xFF", 2)).create("/a/b").create("/a/b/c").create("/ab");
  CHECK(read(wire::GetRequest{"/a", {}}, anyone, world.tree())->data == std::string("\0\xFF", 2));
  CHECK(read(wire::GetRequest{"/a", {}}, anyone, world.tree())->stat == world.stat("/a"));
  CHECK(read(wire::ExistsRequest{"/a", {}}, anyone, world.tree())->stat == world.stat("/a"));
  CHECK(read(wire::GetRequest{"/zookeeper/quota", {}}, anyone, world.tree())->data.empty());

  struct Row {
    const char* path;
    std::uint64_t count;
  };
  for (const Row& row : {Row{"/", 7}, Row{"/a", 2}, Row{"/a/b", 1}, Row{"/a/b/c", 0}, Row{"/ab", 0},
                         Row{"/zookeeper", 2}}) {
    CAPTURE(row.path);
    CHECK(read(wire::CountRequest{row.path, {}}, anyone, world.tree())->count == row.count);
  }
}

TEST_CASE("children are listed in pages, in name order or in reverse, between two names") {
  World world;
  world.create("/p");
  for (const char* name : {"c", "a", "d", "b"}) world.create(child_path("/p", name));

  struct Row {
    ChildrenRequest request;
    std::string names;
    bool more;
  };
  for (const Row& row : {
           Row{children("/p"), "abcd", false},
           Row{children("/p", {}, 4), "abcd", false},
           Row{children("/p", {}, 3), "abc", true},
           Row{children("/p", "c", 3), "d", false},
           Row{children("/p", "b", 1), "c", true},
           Row{children("/p", "bb"), "cd", false},
           Row{children("/p", ""), "abcd", false},
           Row{children("/p", "d"), "", false},
           Row{children("/p", {}, 0), "", true},
           Row{children("/p/a"), "", false},
           Row{children("/p/a", {}, 0), "", false},
           Row{before("c", children("/p")), "ab", false},
           Row{before("bb", children("/p", "a")), "b", false},
           Row{before("c", children("/p", {}, 2)), "ab", false},
           Row{before("d", children("/p", {}, 2)), "ab", true},
           Row{before("a", children("/p")), "", false},
           Row{before("a", children("/p", "c")), "", false},
           Row{before("zz", children("/p")), "abcd", false},
           Row{reversed(children("/p")), "dcba", false},
           Row{reversed(children("/p", {}, 3)), "dcb", true},
           Row{reversed(children("/p", "b")), "dc", false},
           Row{reversed(children("/p", "bb", 1)), "d", true},
           Row{reversed(before("c", children("/p"))), "ba", false},
           Row{reversed(before("c", children("/p", {}, 1))), "b", true},
           Row{reversed(before("c", children("/p", "a"))), "b", false},
           Row{reversed(before("a", children("/p"))), "", false},
           Row{reversed(before("", children("/p"))), "", false},
           Row{reversed(children("/p", "d")), "", false},
           Row{reversed(children("/p", {}, 0)), "", true},
           Row{reversed(children("/p/a")), "", false},
       }) {
    CAPTURE(row.request.after.value_or("-"));
    CAPTURE(row.request.before.value_or("-"));
    CAPTURE(row.request.reverse);
    const auto reply = read(row.request, anyone, world.tree());
    REQUIRE(reply);
    std::string names;
    for (const wire::Child& child : reply->children) names += child.name;
    CHECK(names == row.names);
    CHECK(reply->more == row.more);
    CHECK(reply->stat == world.stat(row.request.path));
    CHECK_FALSE(reply->with_details);
  }
}

TEST_CASE("children can be listed with their stats and data") {
  World world;
  world.create("/p").create("/p/a", "x");
  ChildrenRequest request = children("/p");
  request.with_stat = true;
  auto reply = read(request, anyone, world.tree());
  CHECK(reply->with_details);
  CHECK(reply->children == std::vector<wire::Child>{{"a", world.stat("/p/a"), {}}});

  request.with_stat = false;
  request.with_data = true;
  reply = read(request, anyone, world.tree());
  CHECK(reply->with_details);
  CHECK(reply->children == std::vector<wire::Child>{{"a", {}, "x"}});
}

TEST_CASE("a session's ephemeral nodes can be listed by prefix") {
  World world;
  world.create("/a").create_ephemeral("/a/2").create_ephemeral("/a/1").create_ephemeral("/b");
  world.create_ephemeral("/a/3", {8});
  const auto ephemerals = [&](const char* prefix) {
    return read(wire::EphemeralsRequest{prefix}, Caller{World::me, {}}, world.tree())->paths;
  };
  CHECK(ephemerals("/") == std::vector<std::string>{"/a/1", "/a/2", "/b"});
  CHECK(ephemerals("/a") == std::vector<std::string>{"/a/1", "/a/2"});
  CHECK(ephemerals("/c").empty());
}

}  // namespace
}  // namespace znode
