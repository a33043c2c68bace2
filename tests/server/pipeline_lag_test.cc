#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/server/follower.h"

// A client without room for the events of its watches.
namespace follower {
namespace {

using server::Budget;
using server::Measure;

// The replies (by id) and events that the client got after the reply to its connect.
std::string messages(Follower& follower) {
  std::string text;
  for (const wire::ServerMessage& message : follower.connection().sent) {
    if (const auto* reply = std::get_if<wire::Reply>(&message)) {
      text += reply->id.json + ' ';
    } else if (const auto* event = std::get_if<wire::WatchEvent>(&message)) {
      text += std::string(wire::name(event->kind)) + ' ';
    }
  }
  return text;
}

wire::WatchRequest watch_all() {
  wire::WatchRequest request;
  request.path = "/";
  request.scope = wire::WatchScope::subtree;
  return request;
}

// Request 1 is the connect, 2 sets the watch, and 3 creates a node for whose event is no room.
struct Lagging : Follower {
  explicit Lagging(
      const server::BudgetTable& table = server::budget_table(server::usual_memory_limit))
      : Follower(table) {
    request(watch_all());
    request(create("/a"));
    connection().room = 10;
    connection().queued = 1000;
    commit(forwarded().at(0));
  }
};

TEST_CASE("a client that lags gets its replies, and a resync before later reads") {
  Lagging follower;
  CHECK(messages(follower) == "2 3 ");
  CHECK(follower.ledger().counted(Budget::waiting, Measure::resync) == 1);
  CHECK(follower.connection().paused);
  follower.request(get());
  follower.pipeline().tick();
  CHECK(messages(follower) == "2 3 ");

  follower.connection().room = 100'000;
  follower.pipeline().sent(follower.connection());
  CHECK(messages(follower) == "2 3 resync 4 ");
  CHECK_FALSE(follower.connection().paused);

  follower.request(create("/b"));
  follower.commit(follower.forwarded().at(0));
  CHECK(messages(follower) == "2 3 resync 4 created 5 ");
}

TEST_CASE("a tick resumes the watches of a client that has received enough") {
  Lagging follower;
  follower.connection().room = 100'000;
  follower.connection().queued = 1 << 20;
  follower.pipeline().tick();
  CHECK(messages(follower) == "2 3 ");
  follower.connection().queued = 0;
  follower.pipeline().tick();
  CHECK(messages(follower) == "2 3 resync ");
}

TEST_CASE("a read before a write of a client that lags comes after its resync") {
  Follower follower;
  follower.request(watch_all());
  follower.request(create("/a"));
  // A read that waits for the quorum, and a write behind it.
  wire::GetRequest linearizable = get();
  linearizable.read.consistency = wire::Linearizable{};
  follower.request(linearizable);
  follower.request(create("/b"));
  const auto commands = follower.forwarded();
  REQUIRE(commands.size() == 2);
  follower.connection().room = 10;
  follower.connection().queued = 1000;
  follower.commit(commands[0]);
  CHECK(messages(follower) == "2 3 ");
  follower.commit(commands[1]);  // the read is performed before it
  CHECK(messages(follower) == "2 3 resync 4 5 ");
}

TEST_CASE("if the events since a watch's from have no room, one resync replaces them") {
  for (const auto& [room, expected] :
       {std::pair<std::size_t, std::string>{100'000, "2 3 created created 4 "},
        std::pair<std::size_t, std::string>{600, "2 3 resync 4 "}}) {
    CAPTURE(room);
    Follower follower;
    const wire::Zxid before = follower.pipeline().replica().applied();
    for (const char* path : {"/a", "/b"}) {
      follower.request(create(path));
      follower.commit(follower.forwarded().at(0));
    }
    follower.connection().room = room;
    wire::WatchRequest since = watch_all();
    since.from = before;
    follower.request(since);
    CHECK(messages(follower) == expected);

    // The watch is set in both cases.
    follower.connection().room = 100'000;
    follower.request(create("/c"));
    follower.commit(follower.forwarded().at(0));
    CHECK(messages(follower) == expected + "created 5 ");
  }
}

TEST_CASE("a client whose resyncs never have room is closed") {
  server::BudgetTable table = server::budget_table(server::usual_memory_limit);
  table[static_cast<std::size_t>(Budget::waiting)].connection = 200;
  Lagging follower(table);
  CHECK(follower.connection().closed);
}

}  // namespace
}  // namespace follower
