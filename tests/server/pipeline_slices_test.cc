#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "server/pipeline/slices.h"
#include "tests/server/follower.h"

// Clients that ask for much, in turns with the others.
namespace follower {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a slice is bytes or time, and each turn pays one slice of one client's debt") {
  server::Slices slices(1000);
  server::Slices::Debt small;
  server::Slices::Debt large;
  server::Slices::Debt slow;
  CHECK_FALSE(slices.charge(1, small, 100, 0us));
  CHECK_FALSE(slices.is_waiting());
  CHECK(slices.charge(2, large, 2500, 0us));
  CHECK_FALSE(slices.charge(3, slow, 0, 2100us));
  CHECK_FALSE(slices.is_used_up(small));
  CHECK(slices.is_used_up(large));
  CHECK(slices.is_used_up(slow));

  std::string order;
  while (const auto client = slices.next()) {
    order += std::to_string(*client);
    slices.pay(*client, *client == 2 ? large : slow);
  }
  CHECK(order == "23232");
  CHECK(large.bytes == 0);
  CHECK(slow.bytes == 0);
  // A client that has left is not paid for.
  CHECK(slices.charge(4, large, 5000, 0us));
  CHECK(slices.next() == 4u);
  CHECK_FALSE(slices.next());
}

TEST_CASE("after several slices in one turn all clients wait for a later turn") {
  server::Slices slices(1000);
  std::vector<server::Slices::Debt> debts(6);
  for (std::uint64_t i = 0; i < 4; ++i) {
    CHECK(slices.charge(i, debts[i], 1000, 0us) == (i == 0));
    CHECK_FALSE(slices.is_turn_over());
  }
  CHECK(slices.charge(4, debts[4], 100, 0us));  // the turn is over
  CHECK(slices.is_turn_over());
  slices.enter(5, debts[5]);
  slices.enter(5, debts[5]);
  std::string order;
  while (const auto client = slices.next()) {
    CHECK_FALSE(slices.is_turn_over());
    order += std::to_string(*client);
    slices.pay(*client, debts[*client]);
  }
  CHECK(order == "01235");
}

TEST_CASE("a client that gets large events goes on in later turns") {
  Follower follower;
  follower.request(create("/a"));
  follower.commit(follower.forwarded().at(0));
  wire::WatchRequest watch;
  watch.path = "/a";
  watch.with_data = true;
  follower.request(watch);
  wire::SetRequest set;
  set.path = "/a";
  set.data = wire::Bytes(600'000, 'x');
  follower.request(set);
  follower.commit(follower.forwarded().at(0));
  REQUIRE(follower.replies().size() == 3);
  follower.request(get());
  CHECK(follower.replies().size() == 3);
  while (follower.next_turn()) {
  }
  CHECK(follower.replies().size() == 4);
}

TEST_CASE("a client whose reads take long goes on in later turns, and its order is kept") {
  Follower follower;
  follower.time_step = 1100us;  // two reads are more than a slice
  std::vector<wire::Request> frame(5, wire::GetRequest{"/", {}});
  frame.insert(frame.begin() + 2, follower::create("/a"));
  follower.request(std::move(frame), 300);
  CHECK(follower.replies().size() == 2);
  CHECK(follower.forwarded().empty());

  auto commands = follower.forwarded();
  while (commands.empty() && follower.next_turn()) commands = follower.forwarded();
  REQUIRE(commands.size() == 1);
  follower.commit(commands[0]);
  while (follower.next_turn()) {
  }
  const std::vector<wire::Reply> replies = follower.replies();
  REQUIRE(replies.size() == 6);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    CHECK(replies[i].id.json == std::to_string(i + 2));
  }
  CHECK(follower.ledger().server(server::Budget::requests).used() == 0);
}

TEST_CASE("the reads before a write are refused once they took too long") {
  Follower follower;
  follower.time_step = 1ms;
  std::vector<wire::Request> frame(50, wire::GetRequest{"/", {wire::Linearizable{}, false}});
  frame.push_back(follower::create("/a"));
  follower.request(std::move(frame), 3000);
  const auto commands = follower.forwarded();
  REQUIRE(commands.size() == 1);
  follower.commit(commands[0]);  // the read points have not arrived
  while (follower.next_turn()) {
  }
  const std::vector<wire::Reply> replies = follower.replies();
  REQUIRE(replies.size() == 51);
  CHECK(replies.front().body.has_value());
  REQUIRE(replies[49].body.has_error());
  CHECK(replies[49].body.error().code == wire::ErrorCode::overloaded);
  CHECK(replies[50].body.has_value());
}

}  // namespace
}  // namespace follower
