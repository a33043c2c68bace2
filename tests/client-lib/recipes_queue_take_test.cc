#include <string>

#include <doctest/doctest.h>

#include "tests/client-lib/recipes_taking.h"

namespace zabkeeper {
namespace {

using wire::ErrorCode;
using wire::EventKind;

std::string list_request(std::uint64_t id, const std::string& after = "") {
  return R"(ask {"id":)" + std::to_string(id) +
         R"(,"op":"children","path":"/q/items","withStat":true,)" +
         (after.empty() ? "" : R"("after":")" + after + R"(",)") +
         R"("order":"sequence","limit":32})";
}

// The watch of the items, since the first page.
std::string items_watch(std::uint64_t id) {
  return R"(ask {"id":)" + std::to_string(id) +
         R"(,"op":"watch","path":"/q/items","scope":"subtree","once":true,"from":")" +
         wire::to_hex(at(20)) + R"("})";
}

std::string claim_request(std::uint64_t id, int item) {
  const std::string path = "/q/items/" + item_name(item);
  return R"(ask {"id":)" + std::to_string(id) + R"(,"op":"multi","ops":[{"op":"create","path":")" +
         path + R"(/claim","data":"ID","ephemeral":true},{"op":"get","path":")" + path +
         R"("},{"op":"delete","path":"/q/takers/ID-taker-0000000003"}],)" +
         R"("if":[{"path":"/q/takers/ID-taker-0000000003","czxid":")" + wire::to_hex(at(7)) +
         R"("}]})";
}

const std::string taken_1 = "taken /q/items/item-0000000001 \"work\" guard 1:9";

// No item is there. Ask 4 watches the items.
Taking waiting_for_item() {
  Taking taking = first_in_line();
  taking.listed(2, {});
  return taking;
}

}  // namespace

TEST_CASE("a taker waits for its turn in the line, and then looks for an item") {
  Taking taking;
  CHECK(taking.begin() == R"(ask {"id":1,"op":"create","path":"/q/takers/ID-taker-","data":"",)"
                          R"("ephemeral":true,"sequential":true,"parents":true,"turn":{}})");
  CHECK(taking.in_line(false) == "waiting");
  CHECK(taking.event(1, EventKind::turn).starts_with(list_request(2) + "\n"));
  CHECK(taking.last() == 3);
}

TEST_CASE("a taker claims the first item that is free, in one multi that leaves the line") {
  Taking taking = first_in_line();
  CHECK(taking.listed(2, {{item_name(0), true}, {item_name(1)}, {item_name(2)}}) ==
        claim_request(4, 1));
  // The event of its own place in the line comes before the reply.
  CHECK(taking.event(3, EventKind::deleted) == "");
  CHECK(taking.claimed() ==
        taken_1 + "\n" +
            R"(ask {"id":5,"op":"watch","path":"/q/items/item-0000000001/claim",)"
            R"("scope":"node","once":true})");
  CHECK((*taking).claim()->path == "/q/items/item-0000000001/claim");
}

TEST_CASE("a taker reads the items in pages until one is free") {
  Taking taking = first_in_line();
  CHECK(taking.listed(2, {{item_name(0), true}, {item_name(1), true}}, true) ==
        list_request(4, item_name(1)));
  CHECK(taking.fail(ErrorCode::connection_loss) == list_request(5, item_name(1)));
  CHECK(taking.fail(ErrorCode::overloaded) == "pause");
  CHECK(taking.again() == list_request(6, item_name(1)));
  CHECK(taking.listed({{item_name(2)}}) == claim_request(7, 2));
}

TEST_CASE("without a free item a taker watches the items since it looked") {
  Taking taking = first_in_line();
  CHECK(taking.listed(2, {{item_name(0), true}}) == "waiting\n" + items_watch(4));
  CHECK(taking.event(4, EventKind::created) == list_request(5));
  // The reply to the watch comes after the event of the past.
  CHECK(taking.reply(4, wire::ReplyBody(wire::WatchReply())) == "");
  CHECK(taking.listed({{item_name(1)}}) == claim_request(6, 1));

  Taking none = first_in_line();
  CHECK(none.fail(2, ErrorCode::no_node) == "waiting\n" + items_watch(4));
  CHECK(none.reply(wire::ReplyBody(wire::WatchReply())) == "");
  CHECK(none.event(4, EventKind::resync) == list_request(5));
}

TEST_CASE("a taker that waits for an item looks again after a lost connection") {
  Taking taking = waiting_for_item();
  taking.reply(wire::ReplyBody(wire::WatchReply()));
  CHECK(taking.connection_lost() == list_request(5));
  CHECK(taking.listed({}) == "waiting\n" + items_watch(6));

  // While the watch is not answered, its reply says so.
  Taking asking = waiting_for_item();
  CHECK(asking.connection_lost() == "");
  CHECK(asking.fail(ErrorCode::connection_loss) == list_request(5));
  CHECK(asking.fail(ErrorCode::not_ready) == "pause");
  CHECK(asking.again() == list_request(6));
}

TEST_CASE("a taker looks again if another client was faster, or the item is gone") {
  for (const ErrorCode why : {ErrorCode::node_exists, ErrorCode::no_node}) {
    Taking taking = claiming();
    CHECK(taking.reply(failed_multi({}, 0, why)) == list_request(5));
  }
}

TEST_CASE("after a lost reply to a claim, the claim itself says whose it is") {
  const char* const get_claim = R"("op":"get","path":"/q/items/item-0000000001/claim"})";
  for (const ErrorCode lost :
       {ErrorCode::connection_loss, ErrorCode::operation_timeout, ErrorCode::session_moved}) {
    Taking own = claiming();
    CHECK(own.fail(lost) == R"(ask {"id":5,)" + std::string(get_claim));
    CHECK(own.fail(lost) == R"(ask {"id":6,)" + std::string(get_claim));
    CHECK(own.reply(wire::ReplyBody(node_with(std::string(some_id), 9, 9))) ==
          R"(ask {"id":7,"op":"get","path":"/q/items/item-0000000001"})");
    CHECK(own.fail(lost) == R"(ask {"id":8,"op":"get","path":"/q/items/item-0000000001"})");
    CHECK(own.reply(wire::ReplyBody(node_with("work", 2, 2))).starts_with(taken_1));

    Taking none = claiming();
    none.fail(lost);
    CHECK(none.fail(ErrorCode::no_node) == list_request(6));
    Taking other = claiming();
    other.fail(lost);
    CHECK(other.reply(wire::ReplyBody(node_with("other", 9, 9))) == list_request(6));
  }
  Taking truncated = claiming();
  CHECK(truncated.reply(wire::ReplyBody(wire::TruncatedReply{at(9)})) ==
        R"(ask {"id":5,)" + std::string(get_claim));
}

TEST_CASE("a taker whose place in the line is deleted ends") {
  Taking looking = first_in_line();
  CHECK(looking.event(3, EventKind::deleted) == "ended: failed NoNode");
  Taking waiting = waiting_for_item();
  CHECK(waiting.event(3, EventKind::deleted) == "ended: failed NoNode");
  Taking refused = claiming();
  CHECK(refused.event(3, EventKind::deleted) == "");
  CHECK(refused.fail(ErrorCode::condition_failed) == "ended: failed ConditionFailed");
  Taking unknown = claiming();
  unknown.event(3, EventKind::deleted);
  unknown.fail(ErrorCode::connection_loss);
  CHECK(unknown.fail(ErrorCode::no_node) == "ended: failed NoNode");
}

TEST_CASE("a taker that stops waiting leaves the line") {
  const char* const leave = R"("op":"delete","path":"/q/takers/ID-taker-0000000003"})";
  Taking in_line;
  in_line.begin();
  in_line.in_line(false);
  CHECK(in_line.give_back() == R"(ask {"id":2,)" + std::string(leave));
  CHECK(in_line.reply(wire::ReplyBody(wire::EmptyReply())) == "ended: cancelled");

  Taking waiting = waiting_for_item();
  CHECK(waiting.give_back() == R"(ask {"id":5,)" + std::string(leave));
  CHECK(waiting.event(4, EventKind::created) == "");
  CHECK(waiting.fail(ErrorCode::no_node) == "ended: cancelled");

  Taking claims = claiming();
  CHECK(claims.give_back() == "");
  CHECK(claims.claimed().starts_with(R"(ask {"id":5,"op":"delete")"));
  CHECK(claims.reply(wire::ReplyBody(wire::EmptyReply())) == "ended: cancelled");
  Taking not_claimed = claiming();
  not_claimed.give_back();
  CHECK(not_claimed.reply(failed_multi({}, 0, ErrorCode::node_exists)) ==
        R"(ask {"id":5,)" + std::string(leave));
}

TEST_CASE("a taker leaves the line when it is refused, and when its session ends") {
  Taking listing = first_in_line();
  CHECK(listing.fail(2, ErrorCode::no_auth).starts_with(R"(ask {"id":4,"op":"delete")"));
  CHECK(listing.reply(wire::ReplyBody(wire::EmptyReply())) == "ended: failed NoAuth");
  Taking watching = waiting_for_item();
  CHECK(watching.fail(ErrorCode::too_many_watches).starts_with(R"(ask {"id":5,"op":"delete")"));
  Taking claims = claiming();
  CHECK(claims.fail(ErrorCode::unimplemented).starts_with(R"(ask {"id":5,"op":"delete")"));
  Taking busy = claiming();
  CHECK(busy.fail(ErrorCode::overloaded) == "pause");
  CHECK(busy.again() == list_request(5));

  for (Taking taking : {first_in_line(), waiting_for_item(), claiming()}) {
    CHECK(taking.session_lost() == "ended: failed SessionExpired");
    CHECK((*taking).has_ended());
  }
}

TEST_CASE(
    "a queue with delays hands out the items that are due, and says when it must look again") {
  const std::string at_5 = "0000000000000000005-item-0000000007";
  const std::string at_9 = "0000000000000000009-item-0000000006";
  CHECK(delay_queue("/q").new_item(5) == "/q/items/0000000000000000005-item-");
  CHECK(due_time_of(at_9) == 9);
  CHECK(!due_time_of("item-0000000006"));
  CHECK(!due_time_of("00000000000000000x9-item-0000000006"));

  Taking taking(delay_queue("/q"));
  taking.begin(4);
  CHECK(taking.in_line(true).starts_with(
      R"(ask {"id":2,"op":"children","path":"/q/items","withStat":true,"limit":32})"));
  CHECK(taking.listed(2, {{"0000000000000000001-item-0000000001", true}, {"other"}, {at_5}, {at_9}})
            .starts_with("waiting\nwake at 5\nask {\"id\":4,\"op\":\"watch\""));
  CHECK(taking.time_is(4) == "");
  CHECK(taking.time_is(5).starts_with(R"(ask {"id":5,"op":"children")"));
  CHECK(taking.listed({{at_5}, {at_9}})
            .starts_with(R"(ask {"id":6,"op":"multi","ops":[{"op":"create","path":"/q/items/)" +
                         at_5 + "/claim\""));
}

}  // namespace zabkeeper
