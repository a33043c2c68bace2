#include "session/service.h"

#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "tests/session/world.h"

namespace session {
namespace {

using wire::ErrorCode;
using wire::SetRequest;
using Change = Applied::SessionChange;

const wire::RequestId id{"1"};

TEST_CASE("the id of a session is the zxid of the transaction that opened it") {
  World world;
  const auto planned = world.plan({{}, {2, 5}, 17, OpenSession{World::secret(1), 10'000}});
  REQUIRE(planned);
  const Applied applied = world.apply_all();
  CHECK(applied.session.value == wire::Zxid{{1}, 1}.bits());
  CHECK(applied.owner == Owner{2, 5});
  CHECK(applied.tag == 17);
  CHECK(applied.session_change == Change::opened);
  CHECK(applied.reply == wire::ReplyBody(wire::EmptyReply{}));
  CHECK_FALSE(applied.former_owner);
  CHECK(*world.service().sessions().find(applied.session) ==
        Session{World::secret(1), 10'000, {2, 5}});
}

TEST_CASE("a write is answered to the connection that sent it, with its zxid and time") {
  World world;
  const wire::SessionId session = world.open(1);
  const Applied applied = world.run(session, create_request("/a"));
  CHECK(applied.zxid == wire::Zxid{{1}, 2});
  CHECK(applied.session == session);
  CHECK(applied.owner == Owner{1, 1});
  CHECK(applied.tag == 99);
  CHECK(applied.session_change == Change::none);
  CHECK(std::get<wire::CreateReply>(applied.reply).stat.ctime == 2000);
  CHECK(world.service().applied() == applied.zxid);
}

TEST_CASE("a command of the wrong connection, session or secret is refused") {
  struct Row {
    const char* sender;
    Command command;
    ErrorCode code;
  };
  World world;
  const wire::SessionId session = world.open(1);
  const SecretHash secret = World::secret(1);
  const SecretHash other = World::secret(2);
  const wire::SessionId none{12345};
  for (const Row& row : {
           Row{"a session that does not exist",
               {none, {1, 1}, 1, create_request("/a")},
               ErrorCode::session_expired},
           Row{"no session", {{}, {1, 1}, 1, create_request("/a")}, ErrorCode::session_expired},
           Row{"another connection",
               {session, {1, 2}, 1, create_request("/a")},
               ErrorCode::session_moved},
           Row{"another server's connection",
               {session, {2, 1}, 1, create_request("/a")},
               ErrorCode::session_moved},
           Row{"another connection, of a multi",
               {session, {1, 2}, 1, wire::MultiRequest{}},
               ErrorCode::session_moved},
           Row{"another connection, of a close",
               {session, {1, 2}, 1, CloseSession{}},
               ErrorCode::session_moved},
           Row{"a resume with another secret",
               {session, {1, 2}, 1, MoveSession{other, 1}},
               ErrorCode::auth_failed},
           Row{"a resume of a session that does not exist",
               {none, {1, 2}, 1, MoveSession{secret, 1}},
               ErrorCode::session_expired},
           Row{"an expiry of a session that does not exist",
               {none, {}, 0, CloseSession{true}},
               ErrorCode::session_expired},
           Row{"the owner, with a write that is refused",
               {session, {1, 1}, 1, SetRequest{"/a", ""}},
               ErrorCode::no_node},
           Row{"the owner, with an empty ACL",
               {session, {1, 1}, 1, wire::SetAclRequest{"/", {}}},
               ErrorCode::invalid_acl},
       }) {
    CAPTURE(row.sender);
    const auto planned = world.plan(row.command);
    REQUIRE_FALSE(planned);
    CHECK(refused(planned) == row.code);
  }
  CHECK(world.service().outstanding() == 0);
}

TEST_CASE("equal_secrets compares all bytes") {
  CHECK(equal_secrets(World::secret(1), World::secret(1)));
  SecretHash last = World::secret(1);
  last.back() ^= 1;
  CHECK_FALSE(equal_secrets(World::secret(1), last));
}

// ZOOKEEPER-1208, -1496.
TEST_CASE("nothing is planned for a session after its planned end") {
  for (const bool expired : {false, true}) {
    CAPTURE(expired);
    World world;
    const wire::SessionId session = world.open(1);
    REQUIRE(world.plan(session, ephemeral_request("/before")));
    REQUIRE(world.plan({session, expired ? Owner{} : Owner{1, 1}, 0, CloseSession{expired}}));
    CHECK(refused(world.plan(session, ephemeral_request("/after"))) == ErrorCode::session_expired);
    CHECK(refused(world.plan(session, wire::MultiRequest{{ephemeral_request("/after")}})) ==
          ErrorCode::session_expired);
    CHECK(refused(world.plan(session, CloseSession{})) == ErrorCode::session_expired);
    CHECK(refused(world.plan({session, {1, 2}, 1, MoveSession{World::secret(1), 1}})) ==
          ErrorCode::session_expired);

    const Applied applied = world.apply_all();
    CHECK(applied.session_change == (expired ? Change::expired : Change::closed));
    CHECK(applied.former_owner == Owner{1, 1});
    CHECK(applied.reply == wire::ReplyBody(wire::EmptyReply{}));
    CHECK(world.service().tree().find("/before") == nullptr);
    CHECK(world.service().tree().ephemeral_owner_count() == 0);
    CHECK(world.service().sessions().size() == 0);
    CHECK(refused(world.plan(session, create_request("/a"))) == ErrorCode::session_expired);
  }
}

// A client whose session expired opens another one, on any server. As soon as the new session
// exists on a server, the nodes of the old one do not exist there.
TEST_CASE("a new session cannot see ephemeral nodes of an expired one") {
  World world;
  const wire::SessionId former = world.open(1);
  world.run(former, ephemeral_request("/lock"));
  REQUIRE(world.plan({former, {}, 0, CloseSession{true}}));
  REQUIRE(world.plan({{}, {2, 2}, 2, OpenSession{World::secret(2), 10'000}}));
  const wire::SessionId next = world.apply_all().session;

  // Another server, which is behind.
  Service lagging;
  std::uint64_t number = 0;
  while (!lagging.sessions().find(next)) {
    CHECK_FALSE(lagging.read({next}, id, wire::GetRequest{"/lock", {}}));
    REQUIRE(number < world.log().size());
    number += 1;
    REQUIRE(lagging.apply({{1}, number}, world.log()[number - 1]).has_value());
  }
  CHECK(lagging.read({next}, id, wire::GetRequest{"/lock", {}}).error().code == ErrorCode::no_node);
  CHECK_FALSE(lagging.sessions().find(former));
}

// ZOOKEEPER-710, -907.
TEST_CASE("once a move is planned, only the new connection may send commands") {
  World world;
  const wire::SessionId session = world.open(1);
  const Owner former{1, 1};
  const Owner owner{2, 8};
  REQUIRE(world.plan({session, owner, 5, MoveSession{World::secret(1), 4'000}}));
  CHECK(refused(world.plan({session, former, 1, create_request("/a")})) ==
        ErrorCode::session_moved);
  CHECK(refused(world.plan({session, former, 1, CloseSession{}})) == ErrorCode::session_moved);
  REQUIRE(world.plan({session, owner, 1, create_request("/b")}));
  // The session moves again before any of this is applied.
  REQUIRE(world.plan({session, {3, 1}, 5, MoveSession{World::secret(1), 6'000}}));
  CHECK(refused(world.plan({session, owner, 1, create_request("/c")})) == ErrorCode::session_moved);

  const Applied applied = world.apply_all();
  CHECK(applied.session_change == Change::moved);
  CHECK(applied.former_owner == owner);
  CHECK(applied.owner == Owner{3, 1});
  CHECK(*world.service().sessions().find(session) == Session{World::secret(1), 6'000, {3, 1}});
  CHECK(world.service().tree().find("/b") != nullptr);
  REQUIRE(world.plan({session, {3, 1}, 1, create_request("/c")}));
  CHECK(refused(world.plan({session, former, 1, create_request("/a")})) ==
        ErrorCode::session_moved);
}

TEST_CASE("a transaction has the time that it is planned with, also after a later one") {
  World world;
  Service& service = world.service();
  const wire::SessionId session = world.open(1);
  std::vector<wire::TimeMs> times;
  std::uint64_t zxid = 2;
  for (const wire::TimeMs now : {5000, 3000, 6000}) {
    const auto planned =
        service.plan({session, {1, 1}, 1, create_request("/t" + std::to_string(now))}, now);
    const Applied applied = *service.apply({{1}, zxid++}, *planned);
    times.push_back(std::get<wire::CreateReply>(applied.reply).stat.ctime);
  }
  CHECK(times == std::vector<wire::TimeMs>{5000, 3000, 6000});
  CHECK(service.time() == 6000);
}

TEST_CASE("a former leader drops its plans, and can apply them as another leader's transactions") {
  World world;
  const wire::SessionId session = world.open(1);
  const auto planned = world.service().plan({session, {1, 1}, 1, create_request("/a")}, 0);
  REQUIRE(world.service().plan({session, {1, 1}, 1, CloseSession{}}, 0));
  world.service().forget_plans();
  CHECK(world.service().outstanding() == 0);
  // Another leader committed one of them.
  REQUIRE(world.service().apply({{2}, 1}, *planned).has_value());
  CHECK(world.service().tree().find("/a") != nullptr);
  CHECK(world.service().plan({session, {1, 1}, 1, create_request("/b")}, 0));
}

TEST_CASE("a multi that fails is answered with the error of each operation") {
  World world;
  const wire::SessionId session = world.open(1);
  const auto planned =
      world.plan(session, wire::MultiRequest{{create_request("/a"), wire::CheckRequest{"/b", 0}}});
  REQUIRE_FALSE(planned);
  const auto reply = planned.error().reply();
  REQUIRE(reply);
  CHECK(std::get<wire::MultiReply>(*reply).failed == 1);
  CHECK(refused(planned) == ErrorCode::no_node);
  CHECK(world.run(session, create_request("/a")).zxid == wire::Zxid{{1}, 2});
}

TEST_CASE("read refuses sessions that are not open and requests that are not reads") {
  World world;
  const wire::SessionId session = world.open(1);
  CHECK(world.service().read({{77}}, id, wire::GetRequest{"/", {}}).error().code ==
        ErrorCode::session_expired);
  CHECK(world.service().read({session}, id, wire::GetRequest{"/x", {}}).error().code ==
        ErrorCode::no_node);
  CHECK(world.service().read({session}, id, wire::SyncRequest{"x"}).error().code ==
        ErrorCode::bad_arguments);
  CHECK(world.service().read({session}, id, create_request("/x")).error().code ==
        ErrorCode::unimplemented);
  CHECK(world.service().read({session}, id, wire::SyncRequest{"/x"})->reply ==
        wire::ReplyBody(wire::EmptyReply{}));

  world.run(session, ephemeral_request("/e"));
  CHECK(world.service().read({session}, id, wire::EphemeralsRequest{"/"})->reply ==
        wire::ReplyBody(wire::EphemeralsReply{{"/e"}}));
}

TEST_CASE("a session that ends or moves loses its watches") {
  for (const bool moves : {false, true}) {
    CAPTURE(moves);
    World world;
    const wire::SessionId session = world.open(1);
    const wire::SessionId other = world.open(2);
    world.run(session, ephemeral_request("/e"));
    for (const wire::SessionId watcher : {session, other}) {
      REQUIRE(world.service().read({watcher}, id, wire::WatchRequest{.path = "/e", .from = {}}));
    }
    CHECK(world.service().watches().size() == 2);

    if (moves) {
      REQUIRE(world.plan({session, {1, 3}, 1, MoveSession{World::secret(1), 1000}}));
      CHECK(world.apply_all().events.empty());
    } else {
      const Applied applied = world.run(session, CloseSession{});
      REQUIRE(applied.events.size() == 1);
      CHECK(applied.events[0].session == other);
      CHECK(applied.events[0].event.kind == wire::EventKind::deleted);
      CHECK(applied.events[0].event.zxid == applied.zxid);
    }
    CHECK(world.service().watches().size() == 1);
    CHECK(world.service().watches().size(session) == 0);
  }
}

TEST_CASE("permissions are checked with the identities that are in the command") {
  const auto alice = znode::Identities::of({{"digest", "alice:hash"}});
  World world;
  const wire::SessionId session = world.open(1);
  wire::CreateRequest mine = create_request("/mine");
  mine.acl = wire::Acl{{"auth", "", 31}};
  CHECK(refused(world.plan(session, mine)) == ErrorCode::invalid_acl);
  REQUIRE(world.plan({session, {1, 1}, 1, mine, alice}));
  CHECK(refused(world.plan(session, create_request("/mine/a"))) == ErrorCode::no_auth);
  REQUIRE(world.plan({session, {1, 1}, 1, create_request("/mine/a"), alice}));
  world.apply_all();
  CHECK(world.service().read({session}, id, wire::GetRequest{"/mine", {}}).error().code ==
        ErrorCode::no_auth);
  CHECK(world.service().read({session, alice}, id, wire::GetRequest{"/mine", {}}));
}

TEST_CASE("nodes that are due are deleted by a transaction of the leader") {
  World world;
  const wire::SessionId session = world.open(1);
  Service& service = world.service();
  service.begin_countdowns(0);
  wire::CreateRequest ttl = create_request("/ttl");
  ttl.ttl_ms = 1000;
  world.run(session, ttl);
  for (int tick = 0; tick <= 20; ++tick) {
    CHECK_FALSE(service.reap_due());
    CHECK(refused(world.plan({{}, {}, 0, ReapNodes{}})) == ErrorCode::no_node);
    service.tick();  // 50 ms
  }
  CHECK(service.reap_due());
  REQUIRE(world.plan({{}, {}, 0, ReapNodes{}}));
  CHECK(refused(world.plan({{}, {}, 0, ReapNodes{}})) == ErrorCode::no_node);
  const Applied applied = world.apply_all();
  CHECK(applied.session.none());
  CHECK(world.service().tree().find("/ttl") == nullptr);
  CHECK_FALSE(service.reap_due());
}

TEST_CASE("the digest changes with the sessions") {
  World one;
  World other;
  CHECK(one.service().digest() == other.service().digest());
  one.open(1);
  CHECK(one.service().digest() != other.service().digest());
  other.open(1);
  CHECK(one.service().digest() == other.service().digest());
}

}  // namespace
}  // namespace session
