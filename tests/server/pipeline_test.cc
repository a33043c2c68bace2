#include <memory>
#include <string_view>
#include <utility>

#include "tests/server/follower.h"
#include "wire/close_reasons.h"

namespace follower {
namespace {

using server::CloseCode;

TEST_CASE("a command without an outcome is forwarded again in the next epoch") {
  Follower follower;
  follower.request(create("/a"));
  const auto commands = follower.forwarded();
  REQUIRE(commands.size() == 1);

  follower.look();
  CHECK(follower.forwarded().empty());
  follower.follow({epoch.value + 1});
  CHECK((follower.forwarded() == commands));
  follower.commit(commands[0]);
  REQUIRE(follower.replies().size() == 1);
  CHECK(follower.replies()[0].body.has_value());
}

// The leader may still plan the first copy of the command. Then the write would be applied twice.
TEST_CASE("a command is not forwarded twice in one epoch: its client is redirected") {
  Follower follower;
  follower.request(create("/a"));
  REQUIRE(follower.forwarded().size() == 1);

  follower.look();
  CHECK_FALSE(follower.connection().closed);
  follower.follow(epoch);
  CHECK(follower.forwarded().empty());
  CHECK(follower.is_redirected());
  CHECK(follower.replies().empty());
}

// "/a" exists now. It did not exist when the leader refused the delete, before the create.
TEST_CASE("a write whose refusal was lost is not judged again after a later write") {
  Follower follower;
  follower.request(remove("/a"));
  follower.request(create("/a"));
  const auto commands = follower.forwarded();
  REQUIRE(commands.size() == 2);
  follower.commit(commands[1]);
  CHECK(follower.replies().empty());

  follower.look();
  follower.follow({epoch.value + 1});
  CHECK(follower.forwarded().empty());
  CHECK(follower.is_redirected());
  CHECK(follower.replies().empty());
}

// The read must not see the later write, so it is performed just before that write is applied. The
// refusal of the earlier write arrives only after that.
TEST_CASE("a reply's zxid is not above that of a later read that was performed early") {
  Follower follower;
  follower.request(remove("/a"));
  wire::GetRequest get;
  get.path = "/a";
  follower.request(get);
  follower.request(create("/a"));
  const auto commands = follower.forwarded();
  REQUIRE(commands.size() == 2);
  follower.commit(commands[1]);
  CHECK(follower.replies().empty());

  follower.refuse(commands[0], {{wire::ErrorCode::no_node, "/a does not exist"}, {}});
  const auto replies = follower.replies();
  REQUIRE(replies.size() == 3);
  CHECK_FALSE(replies[0].body.has_value());
  CHECK_FALSE(replies[1].body.has_value());
  CHECK(replies[2].body.has_value());
  CHECK(replies[0].zxid <= replies[1].zxid);
  CHECK(replies[1].zxid < replies[2].zxid);
}

TEST_CASE("nothing waits for clients that have left") {
  Follower follower;
  const auto waiting = [&] {
    server::Readings readings;
    follower.pipeline().read(readings);
    std::map<std::string, std::uint64_t> lengths;
    for (const auto& queue : readings.queues) lengths[queue.name] = queue.length;
    return lengths;
  };
  // Connects that wait for a zxid that never comes.
  std::vector<std::shared_ptr<Connection>> connections;
  for (int i = 0; i < 100; ++i) {
    connections.push_back(std::make_shared<Connection>());
    follower.pipeline().opened(connections.back());
    wire::ConnectRequest connect;
    connect.last_zxid = wire::Zxid{{epoch.value + 1}, 1};
    wire::ParsedFrame frame;
    frame.requests.emplace_back(wire::ClientRequest{{}, {}, std::move(connect)});
    follower.pipeline().received(*connections.back(), std::move(frame));
  }
  follower.look();
  follower.follow({epoch.value + 1});  // they wait again
  CHECK(waiting()["connects_behind"] == 100);

  // Reads that wait for a quorum and for a zxid, and a write.
  for (const wire::Consistency consistency :
       {wire::Consistency(wire::Linearizable{}),
        wire::Consistency(wire::AtLeast{{{epoch.value + 1}, 1}})}) {
    wire::GetRequest get;
    get.path = "/";
    get.read.consistency = consistency;
    follower.request(get);
  }
  follower.request(create("/a"));
  CHECK(waiting()["replies"] == 3);
  CHECK(waiting()["reads_behind"] == 1);
  CHECK(waiting()["read_points"] == 1);

  for (const auto& connection : connections) follower.pipeline().closed(*connection);
  follower.pipeline().closed(follower.connection());
  for (const char* queue : {"connects_behind", "replies", "reads_behind", "read_points"}) {
    CAPTURE(std::string(queue));
    CHECK(waiting()[queue] == 0);
  }
  // The write is carried out all the same.
  const auto commands = follower.forwarded();
  REQUIRE_FALSE(commands.empty());
  follower.commit(commands.back());
  CHECK(follower.pipeline().replica().service().tree().find("/a") != nullptr);
  CHECK(waiting()["commands"] == 0);
}

TEST_CASE("a drained server answers outstanding requests before it redirects their client") {
  Follower follower;
  follower.request(create("/a"));
  const auto commands = follower.forwarded();
  REQUIRE(commands.size() == 1);
  follower.pipeline().drain().begin("the server stops");
  CHECK_FALSE(follower.connection().closed);
  CHECK_FALSE(follower.pipeline().drain().is_done());

  follower.request(create("/b"));
  CHECK(follower.forwarded().empty());
  follower.commit(commands[0]);
  CHECK(follower.replies().size() == 1);
  CHECK(follower.is_redirected());
  CHECK(follower.pipeline().drain().is_done());
}

// The C++ client decides by these reasons which request a close blames.
TEST_CASE("a wrong frame is answered, then the connection is closed with a reason of the list") {
  using Fault = wire::ParsedFrame::Fault;
  struct Row {
    Fault fault;
    wire::ErrorCode error;
    CloseCode code;
    std::string_view reason;
  };
  for (const Row& row : {Row{Fault::too_deep, wire::ErrorCode::bad_arguments,
                             CloseCode::policy_violation, wire::close_reason::too_deep},
                         Row{Fault::too_large, wire::ErrorCode::too_large, CloseCode::too_big,
                             wire::close_reason::too_large}}) {
    CAPTURE(row.reason);
    Follower follower;
    follower.receive_wrong(row.fault, row.error);
    REQUIRE(follower.replies().size() == 1);
    CHECK(follower.replies()[0].body.error().code == row.error);
    CHECK(follower.connection().close_code == row.code);
    CHECK(follower.connection().close_reason == row.reason);
  }
}

TEST_CASE("after an auth that proves no identity, the connection is closed with the error's name") {
  Follower follower;
  follower.request(wire::AuthRequest{"riddle", "answer"});
  REQUIRE(follower.replies().size() == 1);
  CHECK(follower.replies()[0].body.error().code == wire::ErrorCode::auth_failed);
  CHECK(follower.connection().close_code == CloseCode::policy_violation);
  CHECK(follower.connection().close_reason == wire::name(wire::ErrorCode::auth_failed));
}

TEST_CASE("a drained server redirects clients without outstanding requests at once") {
  Follower follower;
  follower.pipeline().drain().begin("the server stops");
  CHECK(follower.is_redirected());
  CHECK(follower.pipeline().drain().is_done());

  const auto late = std::make_shared<Connection>();
  follower.pipeline().opened(late);
  CHECK(late->closed);
}

TEST_CASE("a transaction of a newer program stops the service, and not the server") {
  Follower follower;
  follower.request(create("/a"));
  const auto commands = follower.forwarded();
  const wire::Zxid before = follower.pipeline().replica().service().applied();
  follower.deliver_unknown();
  CHECK(follower.is_redirected());
  CHECK(follower.replies().empty());
  CHECK_FALSE(follower.pipeline().role_status().serving);
  CHECK(follower.pipeline().role_status().leader == leader);
  REQUIRE(follower.pipeline().replica().halt());
  CHECK(follower.pipeline().replica().halt()->why ==
        "version 9 of a transaction is not known to this program: a newer program wrote it");

  // What comes behind it is not applied, and no later epoch makes the server serve.
  follower.commit(commands[0]);
  CHECK(follower.pipeline().replica().service().applied() == before);
  follower.follow({epoch.value + 1});
  CHECK_FALSE(follower.pipeline().role_status().serving);

  // A snapshot of what comes behind it does.
  follower.pipeline().restored(std::move(follower.leading()));
  CHECK_FALSE(follower.pipeline().replica().halt());
  follower.follow({epoch.value + 2});
  CHECK(follower.pipeline().role_status().serving);
}

}  // namespace
}  // namespace follower
