#include "session/results.h"

#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "tests/session/world.h"
#include "tests/support/levels.h"

// The results that a session with `dedup` keeps.
namespace session {
namespace {

using wire::ErrorCode;
using wire::SetRequest;

constexpr wire::Zxid zxid{{3}, 9};

struct Dedup {
  World world;
  wire::SessionId session;

  Dedup() {
    REQUIRE(world.plan({{}, {1, 1}, 1, OpenSession{World::secret(1), 10'000, 3}}));
    session = world.apply_all().session;
  }
  znode::PlanResult<wire::Bytes> plan(std::int64_t number, CommandBody body) {
    return world.plan({session, {1, 1}, 1, std::move(body), {}, number});
  }
  wire::Result<wire::ReplyBody> outcome(std::int64_t number) {
    const Results* results = world.service().sessions().results(session);
    const wire::Bytes* bytes = results ? results->find(number) : nullptr;
    if (!bytes) return wire::Error{ErrorCode::no_node, "no result is kept"};
    return decode_outcome(*bytes);
  }
};

TEST_CASE("a session with dedup keeps the results of its writes, on all servers") {
  Dedup dedup;
  World& world = dedup.world;
  wire::CreateRequest sequential = create_request("/n-");
  sequential.sequential = true;
  REQUIRE(dedup.plan(7, sequential));
  Applied applied = world.apply_all();
  CHECK(*dedup.outcome(7) == applied.reply);
  CHECK(std::get<wire::CreateReply>(*dedup.outcome(7)).path == "/n-0000000000");

  // A refusal is kept too, by a transaction of its own.
  REQUIRE(dedup.plan(8, SetRequest{"/none", "x"}));
  applied = world.apply_all();
  REQUIRE(applied.refusal);
  CHECK(applied.refusal->error.code == ErrorCode::no_node);
  CHECK(dedup.outcome(8).error() == applied.refusal->error);
  REQUIRE(dedup.plan(9, wire::MultiRequest{{create_request("/m"), wire::GetRequest{"/m", {}},
                                            wire::DeleteRequest{"/none"}}}));
  world.apply_all();
  CHECK(std::get<wire::MultiReply>(*dedup.outcome(9)).failed == 2u);
  REQUIRE(dedup.plan(10, wire::MultiRequest{{create_request("/m"), wire::GetRequest{"/m", {}}}}));
  applied = world.apply_all();
  CHECK(*dedup.outcome(10) == applied.reply);
  // At most three are kept, the newest ones.
  CHECK_FALSE(dedup.outcome(7));
  CHECK(dedup.outcome(8).error().code == ErrorCode::no_node);
  CHECK(world.service().sessions().results(dedup.session)->size() == 3);

  // Results of commands that do not come from the session's owner are not kept.
  CHECK(refused(world.plan({dedup.session, {1, 2}, 1, create_request("/x"), {}, 11})) ==
        ErrorCode::session_moved);

  // The results survive a move of the session, and are deleted at its end.
  REQUIRE(world.plan({dedup.session, {2, 1}, 1, MoveSession{World::secret(1), 1000, 3}}));
  world.apply_all();
  CHECK(dedup.outcome(10));
  Service replica;
  for (std::size_t i = 0; i < world.log().size(); ++i)
    REQUIRE(replica.apply({{1}, i + 1}, world.log()[i]).has_value());
  CHECK(replica.sessions() == world.service().sessions());
  CHECK(replica.digest() == world.service().digest());

  REQUIRE(world.plan({dedup.session, {2, 1}, 1, CloseSession{}}));
  world.apply_all();
  CHECK(world.service().sessions().results(dedup.session) == nullptr);
  CHECK(world.service().sessions().digest() == 0);
}

TEST_CASE(
    "before level 2, the kept results of a session are bounded in bytes, but for the newest") {
  const auto outcome = [](std::size_t bytes) {
    wire::MultiReply multi;
    multi.results.emplace_back(wire::OpReply(wire::GetReply{wire::Bytes(bytes, 'x'), {}}));
    return encode_outcome(wire::ReplyBody(multi), zxid, wire::Forms{});
  };
  constexpr std::size_t quarter = Results::bytes_max / 4 - 1000;
  Results results;
  for (int i = 0; i < 10; ++i) results.add(i, outcome(quarter), 1000);
  CHECK(results.size() == 4);
  results.add(10, outcome(2 * Results::bytes_max), 1000);
  CHECK(results.size() == 1);
  CHECK(results.last() == 10);
  CHECK(results.find(10));
  CHECK_FALSE(results.find(9));
}

TEST_CASE("outcomes are decoded from their bytes, and refused if truncated") {
  wire::Stat stat;
  stat.czxid = {{1}, 2};
  stat.version = 3;
  stat.ephemeral_owner = {4};
  stat.ttl_ms = 5;
  stat.container = true;
  const wire::Error error{ErrorCode::no_node, "/a does not exist"};
  wire::ChildrenReply children;
  children.children.push_back({"a", stat, "data"});
  children.more = true;
  for (const wire::ReplyBody& body : std::vector<wire::ReplyBody>{
           wire::EmptyReply{}, wire::CreateReply{"/a", stat}, wire::SetReply{stat},
           wire::AclReply{wire::open_acl(), stat},
           wire::MultiReply{{wire::OpReply(wire::EmptyReply{}), wire::OpReply(wire::SetReply{stat}),
                             wire::OpReply(wire::GetReply{"x", stat}), wire::OpReply(children)},
                            {}}}) {
    CAPTURE(body.index());
    for (const wire::Forms& forms : support::forms_of_all_levels()) {
      CAPTURE(forms.outcome);
      const wire::Bytes bytes = encode_outcome(body, zxid, forms);
      CHECK(*decode_outcome(bytes) == body);
      for (std::size_t size = 0; size < bytes.size(); ++size) {
        CHECK_FALSE(decode_outcome(std::string_view(bytes).substr(0, size)));
      }
      CHECK(former_outcome(bytes, {}) == encode_outcome(body, zxid, {}));
    }
  }
  CHECK(decode_outcome(encode_outcome(Refusal{error, {}}, zxid, {})).error() == error);
  CHECK(decode_outcome(encode_outcome(Refusal{error, {}}, zxid, wire::newest_forms)).error() ==
        error);
}

TEST_CASE("a receipt says that a write was done, or why it was refused, and nothing else") {
  const wire::Forms forms = wire::newest_forms;
  const wire::Bytes done = encode_outcome(wire::ReplyBody{wire::SetReply{}}, zxid, forms);
  CHECK(receipt_of(done) == encode_receipt(zxid));
  CHECK(*decode_outcome(encode_receipt(zxid)) == wire::ReplyBody(wire::TruncatedReply{zxid}));

  const wire::Error error{ErrorCode::no_node, "/a does not exist"};
  const auto refused = receipt_of(encode_outcome(Refusal{error, {}}, zxid, forms));
  REQUIRE(refused);
  CHECK(decode_outcome(*refused).error() == wire::Error{ErrorCode::no_node, ""});
  for (const wire::Bytes& receipt : {encode_receipt(zxid), *refused}) {
    CHECK_FALSE(receipt_of(receipt));
    CHECK(decode_outcome(former_outcome(receipt, {})).has_error());
    for (std::size_t size = 0; size < receipt.size(); ++size) {
      CHECK_FALSE(decode_outcome(std::string_view(receipt).substr(0, size)));
    }
  }
  CHECK_FALSE(receipt_of(encode_outcome(wire::ReplyBody{wire::SetReply{}}, zxid, {})));
}

TEST_CASE("beyond the bound in bytes, the oldest results of a session become receipts") {
  const auto outcome = [](std::size_t bytes) {
    wire::MultiReply multi;
    multi.results.emplace_back(wire::OpReply(wire::GetReply{wire::Bytes(bytes, 'x'), {}}));
    return encode_outcome(wire::ReplyBody(multi), zxid, wire::newest_forms);
  };
  const auto is_receipt = [](const Results& results, std::int64_t number) {
    return *results.find(number) == encode_receipt(zxid);
  };
  Results results;
  results.add(0, encode_receipt(zxid), 8);  // too large from the beginning
  for (int i = 1; i < 6; ++i) results.add(i, outcome(Results::bytes_max / 4), 8);
  CHECK(results.size() == 6);
  CHECK(is_receipt(results, 1));
  CHECK(is_receipt(results, 2));
  CHECK_FALSE(is_receipt(results, 3));

  Results restored;
  for (const Results::Result& each : results.all()) {
    restored.add(each.number, each.outcome, 1000);
  }
  CHECK(restored == results);
  CHECK(restored.digest() == results.digest());

  // The number of results is bounded too, receipts included.
  for (int i = 6; i < 12; ++i) results.add(i, outcome(10), 8);
  CHECK(results.size() == 8);
  CHECK(results.find(3) == nullptr);
  CHECK_FALSE(is_receipt(results, 4));

  // At level 1 there are no receipts, but the number of each write is known.
  results.add(12, encode_receipt(zxid), 8);
  results.become_former({});
  CHECK(results.size() == 8);
  CHECK(results.last() == 12);
  CHECK(decode_outcome(*results.find(12)).error().message ==
        "the write was done, and its reply was too large to be kept");
  CHECK(*results.find(11) == former_outcome(outcome(10), {}));
  Results empty;
  for (const Results::Result& each : results.all()) empty.add(each.number, each.outcome, 1000);
  CHECK(empty.digest() == results.digest());
}

}  // namespace
}  // namespace session
