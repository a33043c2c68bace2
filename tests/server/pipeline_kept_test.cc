#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/server/follower.h"

// What one frame can make this server keep: requests that begin, and replies that wait for an
// earlier one.
namespace follower {
namespace {

using server::Budget;

constexpr std::size_t data_bytes = 200'000;

// A read that waits for a zxid that does not come.
wire::GetRequest read_of_future() {
  wire::GetRequest request;
  request.path = "/";
  request.read.consistency = wire::AtLeast{wire::Zxid{{100}, 1}};
  return request;
}

// A write whose reply has the node's data.
wire::MultiRequest set_and_get() {
  wire::SetRequest set;
  set.path = "/small";
  wire::GetRequest get;
  get.path = "/large";
  wire::MultiRequest request;
  request.ops = {set, get};
  return request;
}

void commit_all(Follower& follower) {
  for (const session::Command& command : follower.forwarded()) follower.commit(command);
}

// With the nodes /small and /large, and a client whose first request waits.
struct Waiting : Follower {
  Waiting() {
    wire::CreateRequest large = create("/large");
    large.data = wire::Bytes(data_bytes, 'x');
    request(create("/small"));
    request(std::move(large));
    commit_all(*this);
    connection().sent.clear();
    request(read_of_future());
  }
  [[nodiscard]] std::size_t kept() { return ledger().server(Budget::waiting).used(); }
  // The read gives up, and all replies are sent. Returns them without the read's.
  std::vector<wire::Reply> give_up() {
    while (replies().empty()) pipeline().tick();
    std::vector<wire::Reply> all = replies();
    all.erase(all.begin());
    return all;
  }
};

TEST_CASE("a frame begins only as many requests as may be outstanding") {
  Follower follower;
  follower.request(std::vector<wire::Request>(1500, wire::Request(create("/a"))), 100'000);
  auto commands = follower.forwarded();
  CHECK(commands.size() == 1000);
  CHECK(follower.connection().paused);
  for (std::size_t i = 0; i < 3; ++i) {
    follower.refuse(commands[i], {{wire::ErrorCode::node_exists, ""}, {}});
  }
  follower.pipeline().sent(follower.connection());
  CHECK(follower.forwarded().size() == 3);
}

TEST_CASE("replies of writes that wait for an earlier reply are kept up to a bound") {
  Waiting follower;
  for (int i = 0; i < 10; ++i) follower.request(set_and_get());
  commit_all(follower);
  CHECK(follower.replies().empty());
  CHECK(follower.kept() >= 1 << 20);
  CHECK(follower.kept() < (1 << 20) + 2 * data_bytes);

  std::size_t truncated = 0;
  const auto replies = follower.give_up();
  REQUIRE(replies.size() == 10);
  for (const wire::Reply& reply : replies) {
    REQUIRE(reply.body.has_value());
    truncated += std::holds_alternative<wire::TruncatedReply>(*reply.body) ? 1 : 0;
  }
  CHECK(truncated == 4);
  CHECK(follower.kept() == 0);
}

TEST_CASE("a refused multi whose results are not kept says why it was refused") {
  Waiting follower;
  for (int i = 0; i < 10; ++i) follower.request(set_and_get());
  commit_all(follower);
  const wire::Error why{wire::ErrorCode::no_node, "/none does not exist"};
  wire::MultiReply multi;
  multi.results.assign(200, wire::Error{wire::ErrorCode::runtime_inconsistency, ""});
  multi.results[7] = why;
  multi.failed = 7;
  follower.request(wire::MultiRequest{
      std::vector<wire::MultiOp>(200, wire::MultiOp(wire::DeleteRequest{"/none"}))});
  follower.refuse(follower.forwarded().at(0), {why, multi});
  const auto replies = follower.give_up();
  REQUIRE(replies.size() == 11);
  CHECK(std::holds_alternative<wire::TruncatedReply>(*replies[9].body));
  CHECK(replies[10].body.error() == why);
}

TEST_CASE("reads before a write are refused once much is kept behind an earlier write") {
  Waiting follower;
  static_cast<void>(follower.give_up());
  follower.connection().sent.clear();
  follower.request(create("/small"));  // its refusal comes late
  wire::GetRequest get;
  get.path = "/large";
  // Each read is performed before the write behind it.
  for (int i = 0; i < 10; ++i) {
    follower.request(get);
    follower.request(create("/n" + std::to_string(i)));
  }
  const auto commands = follower.forwarded();
  REQUIRE(commands.size() == 11);
  for (std::size_t i = 1; i < commands.size(); ++i) follower.commit(commands[i]);
  CHECK(follower.kept() >= 1 << 20);
  CHECK(follower.kept() < (1 << 20) + 2 * data_bytes);
  CHECK(follower.replies().empty());

  follower.refuse(commands[0], {{wire::ErrorCode::node_exists, ""}, {}});
  std::size_t refused = 0;
  for (const wire::Reply& reply : follower.replies()) {
    refused += !reply.body && reply.body.error().code == wire::ErrorCode::overloaded ? 1 : 0;
  }
  CHECK(follower.replies().size() == 21);
  CHECK(refused == 4);
  CHECK(follower.kept() == 0);
}

}  // namespace
}  // namespace follower
