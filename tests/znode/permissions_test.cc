#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/znode/identities.h"
#include "tests/znode/requests.h"
#include "tests/znode/world.h"

// Which permissions operations and reads need, and the operations on ACLs.
namespace znode {
namespace {

using wire::Acl;
using wire::ErrorCode;
using wire::Perm;

wire::CreateRequest create_with_acl(std::string path, Acl acl) {
  wire::CreateRequest request = create(std::move(path));
  request.acl = std::move(acl);
  return request;
}

constexpr std::uint8_t all = 31;

// The ACL of one node grants alice everything but one permission. All other nodes are open.
TEST_CASE("each operation needs one permission on one node") {
  struct Row {
    const char* operation;
    wire::MultiOp op;
    const char* on;  // the node whose ACL decides
    Perm needs;
  };
  wire::CreateRequest with_parents = create("/p/x/y/z");
  with_parents.parents = true;
  wire::ChildrenRequest children;
  children.path = "/p";
  for (const Row& row : {
           Row{"create", create("/p/new"), "/p", Perm::create},
           Row{"create of an existing node", create("/p/c"), "/p", Perm::create},
           Row{"create with parents", with_parents, "/p", Perm::create},
           Row{"set that creates", wire::SetRequest{"/p/new", "", -1, true}, "/p", Perm::create},
           Row{"delete", wire::DeleteRequest{"/p/c"}, "/p", Perm::remove},
           Row{"delete of a missing node", wire::DeleteRequest{"/p/none"}, "/p", Perm::remove},
           Row{"recursive delete of the node", wire::DeleteRequest{"/p", -1, true}, "/p",
               Perm::remove},
           Row{"recursive delete above it", wire::DeleteRequest{"/top", -1, true}, "/top/in",
               Perm::remove},
           Row{"set", wire::SetRequest{"/p", ""}, "/p", Perm::write},
           Row{"set of another version", wire::SetRequest{"/p", "", 7}, "/p", Perm::write},
           Row{"check", wire::CheckRequest{"/p"}, "/p", Perm::read},
           Row{"get", wire::GetRequest{"/p", {}}, "/p", Perm::read},
           Row{"children", children, "/p", Perm::read},
       }) {
    CAPTURE(row.operation);
    World world;
    world.create("/p").create("/p/c").create("/top").create("/top/in").create("/top/in/c");
    const auto allow = [&](unsigned perms) {
      const auto bits = static_cast<std::uint8_t>(perms);
      REQUIRE(
          world.run_as(as(super), wire::SetAclRequest{row.on, {{"digest", "alice:hash", bits}}}));
    };

    allow(all & ~letter(row.needs));
    // In a multi of one operation.
    const auto refused = world.plan_as(as(alice), wire::MultiRequest{{row.op}});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().error.code == ErrorCode::no_auth);
    CHECK(refused.error().error.message.starts_with(std::string(row.on) + " does not grant"));

    allow(letter(row.needs));
    CHECK(world.plan_as(as(bob), wire::MultiRequest{{row.op}}).error().error.code ==
          ErrorCode::no_auth);
    const auto planned = world.plan_as(as(alice), wire::MultiRequest{{row.op}});
    if (!planned) CHECK(planned.error().error.code != ErrorCode::no_auth);
  }
}

TEST_CASE("each read needs READ, and getAcl needs READ or ADMIN") {
  World world;
  world.create("/p").create("/p/c");
  const auto allow = [&](unsigned perms) {
    const auto bits = static_cast<std::uint8_t>(perms);
    REQUIRE(world.run_as(as(super), wire::SetAclRequest{"/p", {{"digest", "alice:hash", bits}}}));
  };
  const auto refused = [&](const Identities& who) {
    const Tree& tree = world.pending().tree();
    wire::ChildrenRequest children;
    children.path = "/p";
    std::string letters;
    if (!read(wire::GetRequest{"/p", {}}, as(who), tree)) letters += 'g';
    if (!read(wire::ExistsRequest{"/p", {}}, as(who), tree)) letters += 'e';
    if (!read(children, as(who), tree)) letters += 'c';
    if (!read(wire::CountRequest{"/p", {}}, as(who), tree)) letters += 'n';
    if (!read(wire::GetAclRequest{"/p"}, as(who), tree)) letters += 'a';
    return letters;
  };
  allow(all & ~letter(Perm::read));
  CHECK(refused(alice) == "gecn");  // ADMIN allows to read the ACL
  CHECK(refused(bob) == "gecna");
  CHECK(refused(super).empty());
  allow(letter(Perm::read));
  CHECK(refused(alice).empty());
  CHECK(read(wire::ExistsRequest{"/none", {}}, as(anonymous), world.pending().tree()));
  CHECK(read(wire::GetRequest{"/p", {}}, as(bob), world.pending().tree()).error().message ==
        "/p does not grant this client the permission read");
}

TEST_CASE(
    "READ on a parent shows its children's names, and their stat and data need READ on each") {
  World world;
  world.create("/p");
  REQUIRE(world.run(create_with_acl("/p/a", Acl{{"digest", "alice:hash", all}})));
  world.create("/p/b", "b");
  wire::ChildrenRequest request;
  request.path = "/p";
  request.with_data = request.with_stat = true;
  const auto names = [](const wire::ChildrenReply& reply) {
    std::string text;
    for (const wire::Child& child : reply.children) {
      text += child.name;
      text += child.data ? "+" : "-";
      CHECK(child.data.has_value() == child.stat.has_value());
    }
    return text;
  };
  CHECK(names(*read(request, as(alice), world.pending().tree())) == "a+b+");
  CHECK(names(*read(request, as(bob), world.pending().tree())) == "a-b+");
  const auto multi = world.run_as(as(bob), wire::MultiRequest{{request}});
  CHECK(names(std::get<wire::ChildrenReply>(*std::get<wire::MultiReply>(*multi).results.front())) ==
        "a-b+");
}

TEST_CASE("setAcl refuses with the first error that applies, and changes aversion") {
  struct Row {
    const char* mistake;
    Identities who;
    wire::SetAclRequest request;
    ErrorCode code;
    const char* message;
  };
  World world;
  REQUIRE(world.run(create_with_acl("/a", Acl{{"digest", "alice:hash", all}})));
  const Acl empty;
  const Acl open = wire::open_acl();
  for (const Row& row : {
           Row{"no path",
               alice,
               {"a", empty},
               ErrorCode::bad_arguments,
               "the path \"a\" does not begin with /"},
           Row{"a reserved path",
               super,
               {"/zookeeper", empty},
               ErrorCode::bad_arguments,
               "/zookeeper is reserved: clients can only read it"},
           Row{"no ACL",
               bob,
               {"/none", empty, 7},
               ErrorCode::invalid_acl,
               "acl: the list is empty"},
           Row{"no node", bob, {"/none", open, 7}, ErrorCode::no_node, "/none does not exist"},
           Row{"no permission",
               bob,
               {"/a", open, 7},
               ErrorCode::no_auth,
               "/a does not grant this client the permission admin"},
           Row{"another version",
               alice,
               {"/a", open, 7},
               ErrorCode::bad_version,
               "/a has an ACL of version 0, not 7"},
       }) {
    CAPTURE(row.mistake);
    const auto planned = world.plan_as(as(row.who), row.request);
    REQUIRE_FALSE(planned);
    CHECK(planned.error().error == wire::Error{row.code, row.message});
  }

  const wire::Stat before = world.stat("/a");
  const auto reply = world.run_as(as(alice), wire::SetAclRequest{"/a", {{"auth", "", 17}}, 0});
  REQUIRE(reply);
  wire::Stat after = before;
  after.aversion = 1;
  CHECK(std::get<wire::AclReply>(*reply) == wire::AclReply{{{"digest", "alice:hash", 17}}, after});
  CHECK(world.changes().empty());
  CHECK(world.stat("/a") == after);
}

TEST_CASE("getAcl hides password hashes from callers without ADMIN") {
  World world;
  const Acl acl{{"digest", "alice:hash", 16}, {"digest", "bob:hash", 1}, {"ip", "10.0.0.1", 1}};
  REQUIRE(world.run(create_with_acl("/a", acl)));
  const Tree& tree = world.pending().tree();
  CHECK(read(wire::GetAclRequest{"/a"}, as(alice), tree)->acl == acl);
  CHECK(read(wire::GetAclRequest{"/a"}, as(super), tree)->acl == acl);
  CHECK(read(wire::GetAclRequest{"/a"}, as(bob), tree)->acl ==
        Acl{{"digest", "alice:x", 16}, {"digest", "bob:x", 1}, {"ip", "10.0.0.1", 1}});
  CHECK(read(wire::GetAclRequest{"/a"}, as(anonymous), tree).error().code == ErrorCode::no_auth);
  CHECK(read(wire::GetAclRequest{"/"}, as(anonymous), tree)->acl == wire::open_acl());
}

TEST_CASE("a planned ACL applies to later plans") {
  World world;
  REQUIRE(world.plan_as(as(alice), create_with_acl("/a", Acl{{"auth", "", all}})));
  CHECK(world.plan_as(as(bob), create("/a/b")).error().error.code == ErrorCode::no_auth);
  REQUIRE(world.plan_as(as(alice), create("/a/b")));
  REQUIRE(world.plan_as(as(alice), wire::SetAclRequest{"/a", wire::open_acl(), 0}));
  CHECK(
      world.plan_as(as(alice), wire::SetAclRequest{"/a", wire::open_acl(), 0}).error().error.code ==
      ErrorCode::bad_version);
  REQUIRE(world.plan_as(as(bob), create("/a/c")));
  world.apply_all();
  CHECK(world.stat("/a").aversion == 1);
  CHECK(world.pending().tree().acl_count() >= 1);
}

TEST_CASE("parents created with a node have the node's ACL") {
  World world;
  wire::CreateRequest request = create_with_acl("/a/b/c", Acl{{"world", "anyone", 5}});
  request.parents = true;
  REQUIRE(world.run(request));
  for (const char* path : {"/a", "/a/b", "/a/b/c"}) {
    CAPTURE(path);
    CHECK(world.pending().tree().at(path).acl().list() == Acl{{"world", "anyone", 5}});
  }
  CHECK(world.pending().tree().at("/").acl().is_open());
}

TEST_CASE("a create below parents that it creates needs CREATE on them too") {
  World world;
  wire::CreateRequest request = create_with_acl("/a/b/c", Acl{{"digest", "bob:hash", all}});
  request.parents = true;
  CHECK(world.plan_as(as(alice), request).error().error ==
        wire::Error{ErrorCode::no_auth, "/a/b does not grant this client the permission create"});
  CHECK(world.plan_as(as(bob), request));
}

// The root is open to everybody, so its ACL could lock everybody out.
TEST_CASE("only super may set the ACL of the root") {
  World world;
  for (const Identities& who : {anonymous, alice}) {
    const auto refused = world.plan_as(as(who), wire::SetAclRequest{"/", wire::open_acl(), 7});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().error ==
          wire::Error{ErrorCode::no_auth,
                      "/ takes ACLs and quotas only from the super identity (superDigest)"});
  }
  REQUIRE(world.run_as(as(super), wire::SetAclRequest{"/", {{"digest", "alice:hash", all}}}));
  CHECK(world.plan_as(as(alice), wire::SetAclRequest{"/", wire::open_acl()}).error().error.code ==
        ErrorCode::no_auth);
  CHECK(world.plan_as(as(super), wire::SetAclRequest{"/", wire::open_acl()}));
}

}  // namespace
}  // namespace znode
