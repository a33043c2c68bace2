#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/server/follower.h"

// Creates that ask for a turn, and requests about the turns of nodes.
namespace follower {
namespace {

// The replies (by id, with the turn or the error) and events that the client got after the reply to
// its connect.
std::string told(Follower& follower) {
  std::string text;
  for (const wire::ServerMessage& message : follower.connection().sent) {
    if (const auto* reply = std::get_if<wire::Reply>(&message)) {
      text += reply->id.json;
      const auto turn = [&](const auto& body) {
        if constexpr (requires { body.turn; }) {
          if (body.turn) text += *body.turn ? ":true" : ":false";
        }
      };
      reply->body ? std::visit(turn, *reply->body)
                  : void(text += ':' + std::string(wire::name(reply->body.error().code)));
      text += ' ';
    } else if (const auto* event = std::get_if<wire::WatchEvent>(&message)) {
      text += event->watch.json + '-' + std::string(wire::name(event->kind)) + ' ';
    }
  }
  return text;
}

wire::CreateRequest turn_create(const std::string& path = "/n-") {
  wire::CreateRequest request = create(path);
  request.sequential = true;
  request.turn.emplace();
  return request;
}

wire::WatchRequest turn_watch(const std::string& path) {
  wire::WatchRequest request;
  request.path = path;
  request.scope = wire::WatchScope::turn;
  return request;
}

// This read waits for a quorum, and the replies behind it wait for the read.
void request_held_read(Follower& follower) {
  wire::GetRequest linearizable = get();
  linearizable.read.consistency = wire::Linearizable{};
  follower.request(linearizable);
}

// The client's outstanding requests are done.
void commit_forwarded(Follower& follower) {
  for (const session::Command& command : follower.forwarded()) follower.commit(command);
}

TEST_CASE("the turn of a created node is reported in the reply, or in an event after it") {
  Follower follower;
  follower.request(turn_create());
  follower.request(turn_create());
  commit_forwarded(follower);
  CHECK(told(follower) == "2:true 3:false ");
  follower.request(wire::DeleteRequest{"/n-0000000000"});
  commit_forwarded(follower);
  CHECK(told(follower) == "2:true 3:false 3-turn 4 ");
  CHECK(follower.pipeline().replica().service().watches().size() == 0);
}

TEST_CASE("the turn is judged when the reply is sent, and no event comes before the reply") {
  Follower follower;
  follower.request(turn_create());
  commit_forwarded(follower);
  request_held_read(follower);
  follower.request(turn_create());
  const std::vector<session::Command> second = follower.forwarded();
  follower.request(turn_watch("/n-0000000001"));
  follower.commit(second.at(0));  // the read before it is performed now
  follower.request(wire::DeleteRequest{"/n-0000000000"});
  commit_forwarded(follower);
  CHECK(told(follower) == "2:true 3 4:false 5:false 4-turn 5-turn 6 ");
}

TEST_CASE("a created node that is deleted before the reply is sent gets the event deleted") {
  Follower follower;
  wire::GetRequest waits = get();
  waits.read.consistency = wire::AtLeast{{{9}, 9}};
  follower.request(waits);
  follower.request(turn_create());
  follower.request(wire::DeleteRequest{"/n-0000000000"});
  commit_forwarded(follower);
  CHECK(told(follower).empty());
  while (told(follower).empty()) follower.pipeline().tick();
  CHECK(told(follower) == "2:ServerBehind 3:false 3-deleted 4 ");
}

TEST_CASE(
    "a create with a turn is refused if its client may not list siblings or has too many watches") {
  Follower follower;
  wire::CreateRequest closed = create("/closed");
  closed.acl = wire::Acl{{"world", "anyone", 4}};  // c
  follower.request(closed);
  commit_forwarded(follower);
  follower.request(turn_create("/closed/n-"));
  CHECK(follower.forwarded().empty());
  CHECK(told(follower) == "2 3:NoAuth ");
  // Nothing is left of its watch.
  CHECK(follower.pipeline().replica().service().watches().size() == 0);
}

TEST_CASE("a refused create leaves no watch") {
  Follower follower;
  follower.request(turn_create("/none/n-"));
  const auto commands = follower.forwarded();
  CHECK(follower.pipeline().replica().service().watches().size() == 1);  // reserved
  session::Refusal refusal;
  refusal.error = {wire::ErrorCode::no_node, "no"};
  follower.refuse(commands.at(0), refusal);
  CHECK(told(follower) == "2:NoNode ");
  CHECK(follower.pipeline().replica().service().watches().size() == 0);
}

TEST_CASE("a repeated create gets the present turn of its node") {
  wire::ConnectRequest connect;
  connect.dedup = true;
  Follower follower(server::budget_table(server::usual_memory_limit), connect);
  follower.request(turn_create());
  follower.request(turn_create());
  commit_forwarded(follower);
  CHECK(told(follower) == "2:true 3:false ");
  // The client forgets its watch, as after a reconnect, and repeats the create.
  follower.request(wire::UnwatchRequest{{"3"}});
  follower.repeat(3, turn_create());
  CHECK(told(follower) == "2:true 3:false 4 3:false ");
  follower.request(wire::DeleteRequest{"/n-0000000000"});
  commit_forwarded(follower);
  CHECK(told(follower) == "2:true 3:false 4 3:false 3-turn 5 ");
  follower.repeat(2, turn_create());
  CHECK(told(follower) == "2:true 3:false 4 3:false 3-turn 5 2:false 2-deleted ");
}

TEST_CASE("a repeated create replaces its own watch") {
  wire::ConnectRequest connect;
  connect.dedup = true;
  Follower follower(server::budget_table(server::usual_memory_limit), connect);
  follower.request(turn_create());
  follower.request(turn_create());
  commit_forwarded(follower);
  follower.repeat(3, turn_create());
  CHECK(told(follower) == "2:true 3:false 3:false ");
  CHECK(follower.pipeline().replica().service().watches().size() == 1);
  follower.request(wire::DeleteRequest{"/n-0000000000"});
  commit_forwarded(follower);
  CHECK(told(follower) == "2:true 3:false 3:false 3-turn 4 ");
}

TEST_CASE("a repeated create whose node has no number gets no turn") {
  wire::ConnectRequest connect;
  connect.dedup = true;
  Follower follower(server::budget_table(server::usual_memory_limit), connect);
  follower.request(create("/plain"));
  commit_forwarded(follower);
  follower.repeat(2, turn_create());
  CHECK(told(follower) == "2 2 ");
}

TEST_CASE("an unwatch takes effect after the create before it") {
  Follower follower;
  follower.request(turn_create());
  commit_forwarded(follower);
  request_held_read(follower);
  follower.request(turn_create());
  const std::vector<session::Command> second = follower.forwarded();
  follower.request(wire::UnwatchRequest{{"4"}});
  follower.request(create("/x"));
  const std::vector<session::Command> last = follower.forwarded();
  follower.commit(second.at(0));
  follower.commit(last.at(0));
  CHECK(told(follower) == "2:true 3 4:false 5 6 ");
  CHECK(follower.pipeline().replica().service().watches().size() == 0);
}

TEST_CASE("a read behind a request about a turn does not see a later write of its session") {
  Follower follower;
  follower.request(turn_create());
  commit_forwarded(follower);
  request_held_read(follower);
  follower.request(turn_watch("/n-0000000000"));
  follower.request(wire::ExistsRequest{"/x", {}});
  follower.request(create("/x"));
  commit_forwarded(follower);
  CHECK(told(follower) == "2:true 3 4:true 5 6 ");
  const auto replies = follower.replies();
  CHECK_FALSE(std::get<wire::ExistsReply>(*replies.at(3).body).stat);
  for (std::size_t i = 1; i < replies.size(); ++i) CHECK(replies[i - 1].zxid <= replies[i].zxid);
}

TEST_CASE("a client without room for the event of its turn gets a resync") {
  Follower follower;
  follower.request(turn_create());
  follower.request(turn_create());
  commit_forwarded(follower);
  follower.connection().room = 10;
  follower.connection().queued = 1000;
  follower.request(wire::DeleteRequest{"/n-0000000000"});
  commit_forwarded(follower);
  CHECK(told(follower) == "2:true 3:false 4 ");
  follower.connection().room = 100'000;
  follower.connection().queued = 0;
  follower.pipeline().sent(follower.connection());
  CHECK(told(follower) == "2:true 3:false 4 3-resync ");
  follower.request(turn_watch("/n-0000000001"));
  CHECK(told(follower) == "2:true 3:false 4 3-resync 5:true ");
}

TEST_CASE("a large folder is indexed in turns of the event loop") {
  Follower follower;
  const std::size_t count = session::Turns::part_children + 2;
  for (std::size_t i = 0; i < count; ++i) {
    wire::CreateRequest request = create("/n-");
    request.sequential = true;
    follower.request(request);
    commit_forwarded(follower);
  }
  follower.connection().sent.clear();
  follower.request(turn_watch("/n-0000000000"));
  CHECK(told(follower).ends_with(":false "));
  REQUIRE(follower.next_turn());
  CHECK(told(follower).ends_with("-turn "));
  CHECK(follower.ledger().of("turns")->operator[](server::Budget::watches).used() > 0);
}

}  // namespace
}  // namespace follower
