#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/session/world.h"

namespace session {
namespace {

using wire::SetRequest;

std::string state_of(const Service& service) {
  std::string state;
  const znode::Node& root = service.tree().at("/");
  for (const znode::Node* node = &root; node; node = znode::next_in_subtree(*node, root)) {
    const wire::Stat stat = node->stat();
    state += node->path() + '=' + std::string(node->data());
    for (const wire::Zxid zxid : {stat.czxid, stat.mzxid, stat.pzxid})
      state += ' ' + to_string(zxid);
    for (const std::int64_t number :
         {stat.ctime, stat.mtime, std::int64_t{stat.version}, std::int64_t{stat.cversion},
          static_cast<std::int64_t>(stat.ephemeral_owner.value)}) {
      state += ' ' + std::to_string(number);
    }
    state += '\n';
  }
  return state;
}

TEST_CASE("equal transactions give equal states on a server that planned none of them") {
  World world;
  std::uint64_t random = 1;
  const auto next = [&random](std::uint64_t bound) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    return (random >> 33) % bound;
  };
  std::vector<wire::SessionId> sessions{world.open(1), world.open(2), world.open(3)};
  world.service().begin_countdowns(0);
  int reaped = 0;

  for (int step = 0; step < 3000; ++step) {
    world.service().tick();
    const wire::SessionId session = sessions[next(sessions.size())];
    std::string path = "/" + std::to_string(next(3));
    if (next(3) > 0) path += "/" + std::to_string(next(4));
    wire::CreateRequest create = create_request(path);
    create.ephemeral = next(3) == 0;
    create.sequential = next(4) == 0;
    create.parents = next(2) == 0;
    if (next(4) == 0) create.acl = wire::Acl{{"world", "anyone", 31}, {"ip", "10.0.0.0/8", 1}};
    if (!create.ephemeral && !create.sequential && next(4) == 0) create.container = true;
    if (!create.ephemeral && !create.container && next(4) == 0) create.ttl_ms = 500;

    // Some commands are refused. Plans are applied in batches, as in a pipeline.
    switch (next(10)) {
      case 8: reaped += world.plan({{}, {}, 0, ReapNodes{}}) ? 1 : 0; break;
      case 9:
        static_cast<void>(
            world.plan(session, wire::SetAclRequest{path, {{"world", "anyone", 31}}}));
        break;
      case 0:
      case 1:
      case 2: static_cast<void>(world.plan(session, create)); break;
      case 3:
        static_cast<void>(
            world.plan(session, SetRequest{path, std::to_string(step), -1, next(2) == 0}));
        break;
      case 4:
        static_cast<void>(world.plan(session, wire::DeleteRequest{path, -1, next(2) == 0}));
        break;
      case 5:
        static_cast<void>(world.plan(
            session,
            wire::MultiRequest{{create, wire::DeleteRequest{path}, wire::CheckRequest{"/0", -1},
                                SetRequest{"/1", "m", -1, true}}}));
        break;
      case 6:
        if (next(10) > 0) break;
        static_cast<void>(world.plan(session, CloseSession{next(2) == 0}));
        world.apply_all();
        std::erase(sessions, session);
        sessions.push_back(world.open(static_cast<std::uint64_t>(100 + step)));
        break;
      default: world.apply_all();
    }
  }
  world.apply_all();
  REQUIRE(world.log().size() > 500);
  CHECK(reaped > 0);
  CHECK(world.service().outstanding() == 0);

  Service replica;
  for (std::size_t i = 0; i < world.log().size(); ++i)
    REQUIRE(replica.apply({{1}, i + 1}, world.log()[i]).has_value());
  CHECK(state_of(replica) == state_of(world.service()));
  CHECK(replica.sessions() == world.service().sessions());
  CHECK(replica.digest() == world.service().digest());

  // The owner of every ephemeral node is an open session.
  const znode::Node& root = replica.tree().at("/");
  for (const znode::Node* node = &root; node; node = znode::next_in_subtree(*node, root)) {
    const wire::SessionId owner = node->lifetime().owner();
    if (!owner.none()) CHECK(replica.sessions().find(owner));
  }
}

}  // namespace
}  // namespace session
