#include <string>
#include <variant>
#include <vector>

#include "tests/server/follower.h"

// Lists of children by their numbers, in a folder so large that it is indexed in parts.
namespace follower {
namespace {

wire::ChildrenRequest list_by_number() {
  wire::ChildrenRequest request;
  request.path = "/";
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
void create_numbered(Follower& follower, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    wire::CreateRequest request = create("/n-");
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
  // Enough for what is known at the beginning: the kinds of the names come on top.
  table[static_cast<std::size_t>(server::Budget::watches)].address =
      (many + 1) * session::SiblingSet::bytes_of("n-0000000000");
  Follower follower(table);
  create_numbered(follower, many);
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
  CHECK(indexes->used() == 0);
}

}  // namespace
}  // namespace follower
