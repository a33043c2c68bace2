#include <vector>

#include <doctest/doctest.h>

#include "tests/server/follower.h"

// How a follower passes on writes with conditions.
namespace follower {
namespace {

wire::Condition has_version(std::string path, std::int32_t version) {
  return {std::move(path), version, {}};
}

TEST_CASE("a follower forwards a write with its conditions, and with both branches") {
  Follower follower;
  follower.set_level({3});
  const std::vector<wire::Condition> conditions{has_version("/a", 1), has_version("/b", 2)};
  follower.request(wire::ClientRequest{{}, {}, create("/c"), conditions});
  wire::MultiRequest multi{{create("/d")}, std::vector<wire::MultiOp>{remove("/e")}};
  follower.request(wire::ClientRequest{{}, {}, multi, conditions});
  const auto commands = follower.forwarded();
  REQUIRE(commands.size() == 2);
  for (const session::Command& command : commands) CHECK(command.conditions == conditions);
  CHECK(std::get<wire::MultiRequest>(commands[1].body) == multi);
}

TEST_CASE("below level 3 a follower refuses conditions, and forwards the writes around them") {
  Follower follower;
  follower.set_level({2});
  follower.request(create("/a"));
  follower.request(wire::ClientRequest{{}, {}, create("/b"), {has_version("/a", 0)}});
  follower.request(create("/c"));
  const auto commands = follower.forwarded();
  REQUIRE(commands.size() == 2);
  for (const session::Command& command : commands) follower.commit(command);
  const auto replies = follower.replies();
  REQUIRE(replies.size() == 3);
  CHECK(replies[0].body.has_value());
  CHECK(replies[1].body.error().code == wire::ErrorCode::unimplemented);
  CHECK(replies[2].body.has_value());
}

TEST_CASE("a command that waits while the level is lowered is not forwarded without conditions") {
  Follower follower;
  follower.set_level({3});
  follower.look();
  follower.request(wire::ClientRequest{{}, {}, create("/b"), {has_version("/", 0)}});
  follower.set_level({2});
  follower.follow({2});
  CHECK(follower.forwarded().empty());
  REQUIRE(follower.replies().size() == 1);
  CHECK(follower.replies()[0].body.error().code == wire::ErrorCode::unimplemented);
}

}  // namespace
}  // namespace follower
