#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/znode/identities.h"
#include "tests/znode/world.h"

// Conditions of writes, and checks with tests in a multi.
namespace znode {
namespace {

using wire::Condition;
using wire::ErrorCode;
using wire::NodeTests;

constexpr wire::SessionId other{8};
constexpr wire::Zxid czxid_of_a{{1}, 1};
constexpr wire::Zxid mzxid_of_a{{1}, 2};

// /a with data "1", version 1; /e, ephemeral.
struct Nodes : World {
  Nodes() {
    create("/a", "0");                  // 1:1
    run(wire::SetRequest{"/a", "1"});   // 1:2
    create_ephemeral("/e", World::me);  // 1:3
  }

  wire::Result<void> judge(const std::vector<Condition>& conditions, const Caller& caller = {}) {
    return znode::judge(conditions, caller, Draft(pending()));
  }
  bool holds(const Condition& condition) {
    const auto met = judge({condition});
    CHECK((met || met.error().code == ErrorCode::condition_failed));
    return met.has_value();
  }
};

template <class T>
NodeTests only(std::optional<T> NodeTests::*test, T value) {
  NodeTests tests;
  tests.*test = std::move(value);
  return tests;
}
NodeTests exists(bool value) { return only(&NodeTests::exists, value); }
NodeTests created_by(wire::Zxid zxid) { return only(&NodeTests::czxid, zxid); }
NodeTests set_by(wire::Zxid zxid) { return only(&NodeTests::mzxid, zxid); }
NodeTests owned_by(wire::SessionId session) { return only(&NodeTests::ephemeral_owner, session); }
NodeTests has_data(wire::Bytes data) { return only(&NodeTests::data, std::move(data)); }

TEST_CASE("each test of a condition holds or fails, on an existing node and on a missing one") {
  struct Row {
    const char* name;
    Condition condition;
    bool holds;
  };
  NodeTests all = exists(true);
  all.czxid = czxid_of_a;
  all.mzxid = mzxid_of_a;
  all.ephemeral_owner = wire::SessionId{};
  all.data = "1";
  NodeTests all_but_one = all;
  all_but_one.data = "";
  Nodes nodes;
  for (const Row& row : {
           Row{"exists", {"/a", {}, exists(true)}, true},
           Row{"exists, and is missing", {"/x", {}, exists(true)}, false},
           Row{"must not exist", {"/x", {}, exists(false)}, true},
           Row{"must not exist, and does", {"/a", {}, exists(false)}, false},
           Row{"the version", {"/a", 1, {}}, true},
           Row{"another version", {"/a", 0, {}}, false},
           Row{"any version", {"/a", wire::any_version, {}}, true},
           Row{"any version of no node", {"/x", wire::any_version, {}}, false},
           Row{"the czxid", {"/a", {}, created_by(czxid_of_a)}, true},
           Row{"another czxid", {"/a", {}, created_by(mzxid_of_a)}, false},
           Row{"the mzxid", {"/a", {}, set_by(mzxid_of_a)}, true},
           Row{"another mzxid", {"/a", {}, set_by(czxid_of_a)}, false},
           Row{"a zxid of no node", {"/x", {}, created_by({})}, false},
           Row{"the owner", {"/e", {}, owned_by(World::me)}, true},
           Row{"another owner", {"/e", {}, owned_by(other)}, false},
           Row{"no owner", {"/a", {}, owned_by({})}, true},
           Row{"no owner of no node", {"/x", {}, owned_by({})}, false},
           Row{"the data", {"/a", {}, has_data("1")}, true},
           Row{"a beginning of the data", {"/a", {}, has_data("")}, false},
           Row{"empty data", {"/e", {}, has_data("")}, true},
           Row{"data of no node", {"/x", {}, has_data("")}, false},
           Row{"all of them", {"/a", 1, all}, true},
           Row{"all but one", {"/a", 1, all_but_one}, false},
       }) {
    CAPTURE(row.name);
    CHECK(nodes.holds(row.condition) == row.holds);
  }
}

TEST_CASE("a failed condition names its place in the list, and what was found") {
  Nodes nodes;
  const Condition good{"/a", 1, {}};
  const auto failed = nodes.judge({good, {"/e", {}, owned_by(other)}, {"/x", {}, exists(true)}});
  REQUIRE_FALSE(failed);
  CHECK(failed.error() == wire::Error{ErrorCode::condition_failed,
                                      "/e does not belong to session 0000000000000008",
                                      wire::Unmet{1, {true, 0, World::me}}});
  CHECK(nodes.judge({good, good, {"/x", {}, exists(true)}}).error() ==
        wire::Error{ErrorCode::condition_failed, "/x does not exist",
                    wire::Unmet{2, {false, wire::any_version, {}}}});
  CHECK(nodes.judge({{"/a", 7, {}}}).error().message == "/a has version 1, not 7");
}

TEST_CASE("conditions see the plans before them, of which no zxid is known yet") {
  Nodes nodes;
  REQUIRE(nodes.plan(wire::SetRequest{"/a", "2"}));
  CHECK(nodes.holds({"/a", 2, has_data("2")}));
  CHECK_FALSE(nodes.holds({"/a", {}, has_data("1")}));
  CHECK_FALSE(nodes.holds({"/a", {}, set_by(mzxid_of_a)}));
  CHECK(nodes.holds({"/a", {}, created_by(czxid_of_a)}));  // it is the same node

  // A new child changes the parent, and neither its creation nor its data.
  wire::CreateRequest child;
  child.path = "/a/child";
  REQUIRE(nodes.plan(child));
  nodes.apply_one();  // 1:4, the set; the child is still outstanding
  CHECK(nodes.holds({"/a", {}, set_by({{1}, 4})}));
  CHECK(nodes.holds({"/a", 2, has_data("2")}));
  CHECK_FALSE(nodes.holds({"/a/child", {}, created_by({{1}, 5})}));
  nodes.apply_all();
  CHECK(nodes.holds({"/a/child", {}, created_by({{1}, 5})}));

  REQUIRE(nodes.plan(wire::DeleteRequest{"/a/child"}));
  REQUIRE(nodes.plan(child));
  CHECK(nodes.holds({"/a/child", 0, exists(true)}));
  CHECK_FALSE(nodes.holds({"/a/child", {}, created_by({{1}, 5})}));  // it is another node
  nodes.apply_one();
  CHECK_FALSE(nodes.holds({"/a/child", {}, created_by({{1}, 5})}));
  nodes.apply_all();
  CHECK(nodes.holds({"/a/child", {}, created_by({{1}, 7})}));
}

TEST_CASE("a condition needs the permission to read its node, in the order of the list") {
  World world;
  wire::CreateRequest secret;
  secret.path = "/secret";
  secret.acl = wire::Acl{{"digest", "alice:hash", 31}};
  REQUIRE(world.run(secret));
  const Draft draft(world.pending());
  const Condition on_secret{"/secret", 0, {}};
  const Condition failing{"/x", {}, exists(true)};
  CHECK(judge({on_secret}, as(alice), draft));
  CHECK(judge({on_secret}, as(bob), draft).error().code == ErrorCode::no_auth);
  CHECK(judge({on_secret, failing}, as(bob), draft).error().code == ErrorCode::no_auth);
  CHECK(judge({failing, on_secret}, as(bob), draft).error().code == ErrorCode::condition_failed);
}

TEST_CASE("a check with tests is judged at its place in a multi") {
  Nodes nodes;
  const auto check = [](std::string path, NodeTests tests) {
    return wire::CheckRequest{std::move(path), wire::any_version, std::move(tests)};
  };
  wire::CreateRequest create;
  create.path = "/x";
  CHECK(
      nodes.plan(wire::MultiRequest{{check("/x", exists(false)), create, check("/x", exists(true)),
                                     wire::SetRequest{"/a", "9"}, check("/a", has_data("9"))}}));
  nodes.apply_all();

  const auto refused =
      nodes.plan(wire::MultiRequest{{wire::SetRequest{"/a", "10"}, check("/a", has_data("9"))}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().error == wire::Error{ErrorCode::condition_failed, "/a has other data",
                                             wire::Unmet{{}, {true, 3, {}}}});
  CHECK(refused.error().multi->failed == 1);
  // The zxid of its own multi is not known.
  wire::MultiRequest own{{wire::SetRequest{"/a", "10"}, check("/a", set_by({{1}, 5}))}};
  CHECK(nodes.plan(own).error().error.code == ErrorCode::condition_failed);
  // With a version alone it fails as in ZooKeeper.
  CHECK(nodes.plan(wire::MultiRequest{{wire::CheckRequest{"/a", 7}}}).error().error.code ==
        ErrorCode::bad_version);
  CHECK(nodes.plan(wire::MultiRequest{{wire::CheckRequest{"/none"}}}).error().error.code ==
        ErrorCode::no_node);
}

}  // namespace
}  // namespace znode
