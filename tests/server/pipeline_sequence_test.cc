#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/server/follower.h"

// Lists of children by their numbers, in a folder so large that it is indexed in parts.
namespace follower {
namespace {

wire::ChildrenRequest list_by_number(const std::string& path = "/") {
  wire::ChildrenRequest request;
  request.path = path;
  request.order = wire::ChildOrder::sequence;
  request.limit = 1;
  request.reverse = true;
  return request;
}

// The replies since the last call: the id, and the name in the list or the error.
std::string answered(Follower& follower) {
  std::string text;
  for (const wire::Reply& reply : follower.replies()) {
    text += reply.id.json;
    if (!reply.body) {
      text += ':' + std::string(wire::name(reply.body.error().code));
    } else if (const auto* list = std::get_if<wire::ChildrenReply>(&*reply.body)) {
      text += ':' + list->children.at(0).name;
    }
    text += ' ';
  }
  follower.connection().sent.clear();
  return text;
}

// Creates the nodes of requests 2 to count + 1.
void create_numbered(Follower& follower, std::size_t count, const std::string& path = "/n-") {
  for (std::size_t i = 0; i < count; ++i) {
    wire::CreateRequest request = create(path);
    request.sequential = true;
    follower.request(request);
    for (const session::Command& command : follower.forwarded()) follower.commit(command);
  }
  follower.connection().sent.clear();
}

constexpr std::size_t many = 2 * session::Turns::part_children + 2;

TEST_CASE("a list by numbers waits for its index, and the replies behind it wait for the list") {
  Follower follower;
  create_numbered(follower, many);
  follower.request(list_by_number());
  follower.request(wire::ExistsRequest{"/", {}});
  CHECK(answered(follower).empty());
  REQUIRE(follower.next_turn());
  CHECK(answered(follower).empty());
  REQUIRE(follower.next_turn());
  CHECK(answered(follower) == "8196:n-0000008193 8197 ");
  follower.request(list_by_number());
  CHECK(answered(follower) == "8198:n-0000008193 ");
  CHECK(follower.ledger().of("turns")->operator[](server::Budget::watches).used() > 0);
}

TEST_CASE(
    "a list by numbers that waits for its index when a write behind it is done is Overloaded") {
  Follower follower;
  create_numbered(follower, many);
  wire::ChildrenRequest linearizable = list_by_number();
  linearizable.read.consistency = wire::Linearizable{};
  follower.request(linearizable);  // this waits for the quorum, so that the write can begin
  follower.request(create("/x"));
  for (const session::Command& command : follower.forwarded()) follower.commit(command);
  CHECK(answered(follower) == "8196:Overloaded 8197 ");
  follower.request(list_by_number());
  while (follower.next_turn()) {
  }
  CHECK(answered(follower) == "8198:n-0000008193 ");
}

TEST_CASE("a list by numbers is refused at a tick once its index has no more room") {
  server::BudgetTable table = server::budget_table(server::usual_memory_limit);
  // Enough for what is known at the beginning: long names come on top.
  table[static_cast<std::size_t>(server::Budget::watches)].address =
      (many + 1) * session::SiblingSet::bytes_of("n-0000000000");
  Follower follower(table);
  create_numbered(follower, many, "/numbered-");
  follower.request(list_by_number());
  REQUIRE(follower.next_turn());
  CHECK(answered(follower).empty());
  while (follower.next_turn()) {
  }
  follower.pipeline().tick();
  CHECK(answered(follower) == "8196:TooManyWatches ");
  const auto indexes = account_of(follower.ledger().of("turns"), server::Budget::watches);
  CHECK(indexes->used() > 0);
  for (std::uint64_t i = 0; i <= session::Turns::unused_ticks; ++i) follower.pipeline().tick();
  while (follower.next_turn()) {
  }
  CHECK(indexes->used() == 0);
}

// Creates a folder with children that have numbers, by one request for each 900 of them.
void create_folder(Follower& follower, const std::string& path, std::size_t children) {
  for (std::size_t done = 0; done < children;) {
    wire::MultiRequest multi;
    if (done == 0) multi.ops.emplace_back(create(path));
    for (const std::size_t end = std::min(children, done + 900); done < end; ++done) {
      wire::CreateRequest request = create(path + "/n-");
      request.sequential = true;
      multi.ops.emplace_back(request);
    }
    follower.request(multi);
    for (const session::Command& command : follower.forwarded()) follower.commit(command);
  }
}

// A client that connects after the first one of the follower.
std::shared_ptr<Connection> younger_client(Follower& follower) {
  auto connection = std::make_shared<Connection>();
  follower.pipeline().opened(connection);
  wire::ParsedFrame frame;
  frame.requests.emplace_back(
      wire::ClientRequest{wire::RequestId("1"), {}, wire::ConnectRequest{}});
  follower.pipeline().received(*connection, std::move(frame));
  follower.commit(follower.forwarded().at(0));
  connection->sent.clear();
  return connection;
}

TEST_CASE("a list by numbers is not starved by another client whose list waits at each tick") {
  Follower follower;
  const std::size_t part = session::Turns::part_children;
  create_folder(follower, "/large", 18 * part);  // more than stay indexed without use
  create_folder(follower, "/other", 2 * part);
  const auto younger = younger_client(follower);
  wire::ParsedFrame frame;
  frame.requests.emplace_back(
      wire::ClientRequest{wire::RequestId("2"), {}, list_by_number("/large")});
  follower.pipeline().received(*younger, std::move(frame));
  for (int turn = 0; turn < 16; ++turn) REQUIRE(follower.next_turn());
  CHECK(younger->sent.empty());
  follower.connection().sent.clear();
  follower.request(list_by_number("/other"));
  follower.pipeline().tick();
  REQUIRE(follower.next_turn());
  CHECK(younger->sent.size() == 1);
  while (follower.next_turn()) {
  }
  CHECK(follower.connection().sent.size() == 1);
}

}  // namespace
}  // namespace follower
