#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "tests/session/watching.h"
#include "tests/session/world.h"

// Watches and ACLs.
namespace session {
namespace {

using wire::ErrorCode;
using wire::RequestId;
using wire::WatchScope;

// S28; CVE-2024-23944: a watch reported paths that its client could not read.
TEST_CASE("a watch reports only changes of nodes that its client may read at that time") {
  const auto alice = znode::Identities::of({{"digest", "alice:hash"}});
  World world;
  const wire::SessionId one = world.open(1);
  const wire::SessionId other = world.open(2);
  const wire::WatchRequest subtree = watch_request("/", WatchScope::subtree);
  REQUIRE(world.service().read({one, alice}, RequestId{"1"}, subtree));
  REQUIRE(world.service().read({other}, RequestId{"2"}, subtree));
  const auto events_for = [](const Applied& applied, wire::SessionId session) {
    std::vector<wire::WatchEvent> events;
    for (const Delivery& delivery : applied.events) {
      if (delivery.session == session) events.push_back(delivery.event);
    }
    return events_text(events);
  };

  wire::CreateRequest secret = create_request("/secret");
  secret.acl = wire::Acl{{"digest", "alice:hash", 31}};
  Applied applied = world.run(one, secret);
  CHECK(events_for(applied, one) == "created /secret");
  CHECK(events_for(applied, other).empty());

  const auto run_as_alice = [&](CommandBody body) {
    REQUIRE(world.plan({one, world.owner(one), 1, std::move(body), alice}));
    return world.apply_all();
  };
  applied = run_as_alice(create_request("/secret/open"));
  CHECK(events_for(applied, one) == "created /secret/open");
  CHECK(events_for(applied, other) == "created /secret/open");

  run_as_alice(wire::SetAclRequest{"/secret/open", {{"digest", "alice:hash", 31}}});
  applied = run_as_alice(wire::SetRequest{"/secret/open", "x"});
  CHECK(events_for(applied, one) == "changed /secret/open");
  CHECK(events_for(applied, other).empty());
  applied = run_as_alice(wire::DeleteRequest{"/secret", -1, true});
  CHECK(events_for(applied, one) == "deleted /secret/open, deleted /secret");
  CHECK(events_for(applied, other).empty());

  // The same holds for events since `from`.
  wire::WatchRequest from_the_start = subtree;
  from_the_start.from = wire::Zxid{};
  CHECK(events_text(world.service().read({other}, RequestId{"3"}, from_the_start)->events) ==
        "created /secret/open");
  // A client that authenticates later gets later events.
  world.service().watches().identify(other, alice);
  applied = run_as_alice(secret);
  CHECK(events_for(applied, other) == "created /secret, created /secret");
}

TEST_CASE("a watch for one event waits for a change that its client may read") {
  const auto alice = znode::Identities::of({{"digest", "alice:hash"}});
  World world;
  const wire::SessionId session = world.open(1);
  REQUIRE(world.service().read({session}, RequestId{"1"}, wire::ExistsRequest{"/x", with_watch}));
  wire::CreateRequest secret = create_request("/x");
  secret.acl = wire::Acl{{"digest", "alice:hash", 31}};
  CHECK(world.run(session, secret).events.empty());
  REQUIRE(world.plan(
      {session, world.owner(session), 1, wire::SetAclRequest{"/x", wire::open_acl()}, alice}));
  world.apply_all();
  CHECK(events_text(world.run(session, wire::SetRequest{"/x", "1"})) == "changed /x");
  CHECK(world.service().watches().size() == 0);

  REQUIRE(world.plan({session, world.owner(session), 1,
                      wire::SetAclRequest{"/x", {{"digest", "alice:hash", 31}}}, alice}));
  world.apply_all();
  CHECK(world.service()
            .read({session}, RequestId{"1"}, watch_request("/x", WatchScope::node))
            .error()
            .code == ErrorCode::no_auth);
  CHECK(world.service().watches().size() == 0);
}

}  // namespace
}  // namespace session
