#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/server/follower.h"
#include "tests/support/byte_counts.h"

// Backpressure and the budget of requests. The follower performs reads alone.
namespace follower {
namespace {

using server::Budget;
using server::Measure;
using server::Offer;
using support::kibibyte;

std::vector<wire::Request> gets(std::size_t count) {
  return std::vector<wire::Request>(count, wire::Request(get()));
}

// `server` bytes of requests under way, and a tenth of them in one connection.
server::BudgetTable requests_of(std::size_t server) {
  server::BudgetTable table = server::budget_table(server::usual_memory_limit);
  table[1] = {server / 10, server, server};
  return table;
}

std::optional<wire::ErrorCode> error_of(const wire::Reply& reply) {
  if (reply.body) return std::nullopt;
  return reply.body.error().code;
}

TEST_CASE("a client that does not receive its replies gets no more until it has received half") {
  Follower follower;
  follower.connection().queued = (1 << 20) - 1;
  follower.request(gets(1), 50);
  CHECK(follower.replies().size() == 1);
  follower.connection().queued = 1 << 20;
  follower.request(gets(100), 5000);
  CHECK(follower.replies().size() == 2);
  CHECK(follower.connection().paused);
  CHECK(follower.ledger().counted(Budget::waiting, Measure::not_read) == 1);

  follower.connection().queued = (1 << 19) + 1;
  follower.pipeline().sent(follower.connection());
  follower.pipeline().tick();
  CHECK(follower.replies().size() == 2);

  follower.connection().queued = 1 << 19;
  follower.pipeline().sent(follower.connection());
  CHECK(follower.replies().size() == 101);
  CHECK_FALSE(follower.connection().paused);
  CHECK(follower.ledger().server(Budget::requests).used() == 0);
}

TEST_CASE("a read whose reply has no room waits if the client has something to receive") {
  Follower follower;
  follower.connection().answer_to_offers = Offer::no_room;
  follower.connection().queued = 2000;
  follower.request(gets(3), 150);
  CHECK(follower.replies().empty());
  CHECK(follower.connection().paused);
  follower.connection().answer_to_offers = Offer::queued;
  follower.pipeline().sent(follower.connection());
  CHECK(follower.replies().empty());
  follower.connection().queued = 1000;
  follower.pipeline().sent(follower.connection());
  CHECK(follower.replies().size() == 3);
  CHECK(follower.ledger().counted(Budget::waiting, Measure::overloaded) == 0);
}

// The memory of a large write is free once its last byte is written.
TEST_CASE("a read whose reply has no room waits also for the last bytes of what is being sent") {
  Follower follower;
  follower.connection().answer_to_offers = Offer::no_room;
  follower.connection().queued = 1;
  follower.request(gets(1), 50);
  CHECK(follower.replies().empty());
  follower.connection().queued = 0;
  follower.connection().answer_to_offers = Offer::queued;
  follower.pipeline().sent(follower.connection());
  REQUIRE(follower.replies().size() == 1);
  CHECK(follower.replies()[0].body.has_value());
}

TEST_CASE("requests that came while a client was held back begin at a tick") {
  Follower follower;
  follower.request(create("/a"));
  follower.connection().queued = 1 << 20;
  follower.request(gets(3), 150);
  const auto commands = follower.forwarded();
  follower.commit(commands.at(0));
  CHECK(follower.replies().size() == 1);
  follower.request(gets(3), 150);
  CHECK(follower.connection().paused);
  follower.connection().queued = 0;
  follower.pipeline().tick();
  CHECK(follower.replies().size() == 7);
  CHECK_FALSE(follower.connection().paused);
}

TEST_CASE("a tick finds a client that has received its replies") {
  Follower follower;
  follower.connection().queued = 1 << 20;
  follower.request(gets(10), 500);
  follower.connection().queued = 0;
  follower.pipeline().tick();
  CHECK(follower.replies().size() == 10);
  CHECK_FALSE(follower.connection().paused);
}

TEST_CASE("requests that come while a client is held back are carried out later, in order") {
  Follower follower;
  follower.connection().queued = 1 << 20;
  follower.request(gets(2), 100);
  follower.request(create("/a"));
  follower.request(gets(1), 50);
  CHECK(follower.forwarded().empty());  // the create would have to wait for the reads before it
  follower.connection().queued = 0;
  follower.pipeline().sent(follower.connection());
  const auto commands = follower.forwarded();
  REQUIRE(commands.size() == 1);
  CHECK(follower.replies().size() == 2);
  follower.commit(commands[0]);
  const auto replies = follower.replies();
  REQUIRE(replies.size() == 4);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    CHECK(replies[i].id.json == std::to_string(i + 2));
  }
}

TEST_CASE("a read whose reply has no room is refused with Overloaded, or TooLarge") {
  Follower follower;
  follower.connection().answer_to_offers = Offer::no_room;
  follower.request(get());
  follower.connection().answer_to_offers = Offer::too_large;
  follower.request(get());
  const auto replies = follower.replies();
  REQUIRE(replies.size() == 2);
  CHECK(error_of(replies[0]) == wire::ErrorCode::overloaded);
  CHECK(error_of(replies[1]) == wire::ErrorCode::too_large);
  CHECK(follower.ledger().counted(Budget::waiting, Measure::overloaded) == 1);
}

TEST_CASE("a read that is refused for lack of room, or waits for room, sets no watch yet") {
  Follower follower;
  wire::GetRequest watching = get();
  watching.read.watch = true;
  const auto watches = [&] { return follower.pipeline().replica().watches().size(); };
  follower.connection().answer_to_offers = Offer::no_room;
  follower.request(watching);
  REQUIRE(follower.replies().size() == 1);
  CHECK(error_of(follower.replies()[0]) == wire::ErrorCode::overloaded);
  CHECK(watches() == 0);

  follower.connection().queued = 2000;
  follower.request(watching);
  CHECK(follower.replies().size() == 1);
  CHECK(watches() == 0);
  follower.connection().queued = 0;
  follower.connection().answer_to_offers = Offer::queued;
  follower.pipeline().sent(follower.connection());
  REQUIRE(follower.replies().size() == 2);
  CHECK(error_of(follower.replies()[1]) == std::nullopt);
  CHECK(watches() == 1);

  follower.connection().answer_to_offers = Offer::no_room;
  follower.connection().queued = 2000;
  follower.request(wire::UnwatchRequest{wire::RequestId("3")});
  REQUIRE(follower.replies().size() == 3);
  CHECK(error_of(follower.replies()[2]) == std::nullopt);
}

TEST_CASE("outstanding requests are charged until they are answered") {
  Follower follower;
  const auto used = [&] { return follower.ledger().server(Budget::requests).used(); };
  follower.request({create("/a"), create("/b")}, 20 * kibibyte);
  CHECK(used() == 20 * kibibyte);
  const auto commands = follower.forwarded();
  follower.commit(commands.at(0));
  CHECK(used() == 10 * kibibyte);
  // Its command is still under way, so it is still charged when the client has left.
  follower.request(wire::GetRequest{"/", {}}, 10 * kibibyte);
  follower.pipeline().closed(follower.connection());
  CHECK(used() / kibibyte == 10);
  follower.commit(commands.at(1));
  CHECK(used() == 0);
}

TEST_CASE("a command of a client that has left is charged until it is refused or given up") {
  for (const bool is_refused : {true, false}) {
    Follower follower;
    follower.request(create("/a"), 20 * kibibyte);
    const auto commands = follower.forwarded();
    follower.pipeline().closed(follower.connection());
    CHECK(follower.ledger().server(Budget::requests).used() == 20 * kibibyte);
    if (is_refused) {
      follower.refuse(commands.at(0), {{wire::ErrorCode::node_exists, "/a exists"}, {}});
    } else {
      follower.follow(follower::epoch);  // the link was lost: it may be planned, or not
    }
    CHECK(follower.ledger().server(Budget::requests).used() == 0);
  }
}

TEST_CASE("above the server's budget a request is refused, and nothing of it is done") {
  Follower follower(requests_of(100 * kibibyte));
  follower.request(create("/a"), 40 * kibibyte);
  follower.request(create("/b"), 20 * kibibyte);
  CHECK(follower.forwarded().size() == 1);
  CHECK(follower.ledger().server(Budget::requests).used() == 40 * kibibyte);
  CHECK(follower.ledger().counted(Budget::requests, Measure::overloaded) == 1);
  follower.request(wire::PingRequest{}, 20 * kibibyte);
  follower.request(wire::CloseRequest{}, 20 * kibibyte);
  CHECK(follower.forwarded().size() == 1);  // the close
  CHECK(follower.replies().empty());        // they wait for the create
}

TEST_CASE("a write that was done is answered with its result, also if there is no room for it") {
  wire::ConnectRequest connect;
  connect.dedup = true;
  Follower follower(requests_of(100 * kibibyte), connect);
  follower.request(create("/a"));  // request 2
  follower.commit(follower.forwarded().at(0));
  follower.request(create("/b"), 40 * kibibyte);
  for (const char* id : {"2", "4"}) {
    wire::ParsedFrame again;
    again.bytes = 20 * kibibyte;
    again.requests.emplace_back(wire::ClientRequest{wire::RequestId(id), {}, create("/a")});
    follower.pipeline().received(follower.connection(), std::move(again));
  }
  follower.commit(follower.forwarded().at(0));
  const auto replies = follower.replies();
  REQUIRE(replies.size() == 4);
  CHECK(std::get<wire::CreateReply>(*replies[2].body).path == "/a");
  CHECK(error_of(replies[3]) == wire::ErrorCode::overloaded);
}

TEST_CASE("a client with too many bytes of requests is not read from until half are answered") {
  Follower follower(requests_of(1000 * kibibyte));
  follower.request(create("/a"), 60 * kibibyte);
  CHECK_FALSE(follower.connection().paused);
  follower.request(create("/b"), 45 * kibibyte);
  CHECK(follower.connection().paused);
  const auto commands = follower.forwarded();
  REQUIRE(commands.size() == 2);
  follower.commit(commands[0]);
  CHECK_FALSE(follower.connection().paused);
}

TEST_CASE("watches are charged to their address, which has room for a limited number") {
  server::BudgetTable table = server::budget_table(server::usual_memory_limit);
  table[3] = {4 * kibibyte, 4 * kibibyte, 8 * kibibyte};
  Follower follower(table);
  const server::Account& watches = follower.ledger().server(Budget::watches);
  // Each takes about 600 bytes, and this connection may have half of what its address may have.
  const auto watch = [&](char name, bool once = false) {
    wire::WatchRequest request;
    request.path = "/" + std::string(500, name);
    request.once = once;
    follower.request(request);
    return error_of(follower.replies().back());
  };
  for (const char name : {'a', 'b', 'c', 'd'}) CHECK_FALSE(watch(name, name == 'a'));
  CHECK(watches.used() == 2 * kibibyte);
  CHECK(watch('e') == wire::ErrorCode::too_many_watches);
  CHECK(follower.replies().back().body.error().message ==
        "the watches of address 127.0.0.1 would take more than their 4096 bytes, or more than the "
        "share of this connection: remove watches that are not needed");
  CHECK(follower.ledger().counted(Budget::watches, Measure::refused) == 1);
  CHECK(follower.pipeline().replica().service().watches().size() == 4);

  follower.request(follower::create("/" + std::string(500, 'a')));
  follower.commit(follower.forwarded().at(0));
  CHECK(follower.pipeline().replica().service().watches().size() == 3);
  CHECK(watches.used() == kibibyte);
  CHECK_FALSE(watch('e'));
  CHECK(watches.used() == 2 * kibibyte);
  follower.pipeline().closed(follower.connection());
  CHECK(watches.used() == 0);
  CHECK(follower.pipeline().replica().service().watches().size() == 0);
}

TEST_CASE(
    "if queued messages use nearly all of the server's budget, clients with most are "
    "disconnected") {
  server::BudgetTable table = server::budget_table(server::usual_memory_limit);
  table[2] = {100 * kibibyte, 100 * kibibyte, 100 * kibibyte};
  Follower follower(table);
  const auto modest = std::make_shared<follower::Connection>();
  follower.pipeline().opened(modest);
  modest->queued = 20 * kibibyte;
  follower.connection().queued = 70 * kibibyte;
  const server::Charge waiting(account_of(follower.ledger().of("127.0.0.1"), Budget::waiting),
                               80 * kibibyte);
  follower.pipeline().tick();
  CHECK_FALSE(follower.connection().closed);
  const server::Charge more(account_of(follower.ledger().of("127.0.0.1"), Budget::waiting),
                            10 * kibibyte);
  follower.pipeline().tick();
  CHECK(follower.connection().closed);
  CHECK_FALSE(modest->closed);
}

TEST_CASE("a client with few queued bytes stays connected, however many bytes wait for others") {
  server::BudgetTable table = server::budget_table(server::usual_memory_limit);
  table[2] = {100 * kibibyte, 100 * kibibyte, 100 * kibibyte};
  Follower follower(table);
  follower.connection().queued = 10 * kibibyte;
  const server::Charge waiting(account_of(follower.ledger().of("10.0.0.1"), Budget::waiting),
                               100 * kibibyte);
  follower.pipeline().tick();
  CHECK_FALSE(follower.connection().closed);
}

}  // namespace
}  // namespace follower
