#include <string>

#include <doctest/doctest.h>

#include "client-lib/recipes/queue_producer.h"
#include "tests/client-lib/recipes_taking.h"

namespace zabkeeper {
namespace {

using wire::Branch;
using wire::ErrorCode;
using wire::EventKind;

const std::string guard_of_claim =
    R"("if":[{"path":"/q/items/item-0000000001/claim","czxid":")" + wire::to_hex(at(9)) + R"("}]})";

std::string done_request(std::uint64_t id) {
  return R"(ask {"id":)" + std::to_string(id) +
         R"(,"op":"multi","ops":[{"op":"delete","path":"/q/items/item-0000000001/claim"},)" +
         R"({"op":"delete","path":"/q/items/item-0000000001"}],)" + guard_of_claim;
}

std::string return_request(std::uint64_t id) {
  return R"(ask {"id":)" + std::to_string(id) +
         R"(,"op":"delete","path":"/q/items/item-0000000001/claim",)" + guard_of_claim;
}

std::string watch_claim(std::uint64_t id) {
  return R"(ask {"id":)" + std::to_string(id) +
         R"(,"op":"watch","path":"/q/items/item-0000000001/claim","scope":"node","once":true})";
}

std::string exists_request(std::uint64_t id, const std::string& path) {
  return R"(ask {"id":)" + std::to_string(id) + R"(,"op":"exists","path":")" + path + R"("})";
}

wire::ReplyBody both_deleted() { return multi_reply({}, wire::EmptyReply(), wire::EmptyReply()); }

struct PutText {
  std::string operator()(const Ask& ask) const { return RecipeText()(ask); }
  std::string operator()(const Pause&) const { return "pause"; }
  std::string operator()(const PutReady& ready) const {
    return "last " + std::to_string(ready.last);
  }
  std::string operator()(const PutDone& done) const { return "put " + std::to_string(done.number); }
  std::string operator()(const PutFailed& failed) const {
    return "failed " + std::string(wire::name(failed.error.code)) +
           (failed.may_be_done ? ", may be done" : "");
  }
};

}  // namespace

TEST_CASE("an item that is done is deleted with its claim, if the claim is held") {
  Taking taking = with_item();
  CHECK(taking.done() == done_request(6));
  // The event of its own multi comes before the reply.
  CHECK(taking.event(5, EventKind::deleted) == "");
  CHECK(taking.reply(both_deleted()) == "ended: done");
  CHECK(!(*taking).claim());

  Taking lost = with_item();
  lost.done();
  CHECK(lost.fail(ErrorCode::condition_failed) == "lost\nended: lost");
  Taking early = claiming();
  CHECK(early.done() == "refused BadArguments");
}

TEST_CASE("after a lost reply to done, the claim and the item say whether it was carried out") {
  const std::string claim = "/q/items/item-0000000001/claim";
  const std::string item = "/q/items/item-0000000001";
  for (const ErrorCode loss :
       {ErrorCode::connection_loss, ErrorCode::operation_timeout, ErrorCode::session_moved}) {
    Taking not_done = with_item();
    not_done.done();
    CHECK(not_done.fail(loss) == exists_request(7, claim));
    CHECK(not_done.fail(loss) == exists_request(8, claim));
    CHECK(not_done.exists(9) == done_request(9));

    Taking done = with_item();
    done.done();
    done.fail(loss);
    CHECK(done.exists({}) == exists_request(8, item));
    CHECK(done.fail(loss) == exists_request(9, item));
    CHECK(done.exists({}) == "ended: done");

    Taking lost = with_item();
    lost.done();
    lost.fail(loss);
    CHECK(lost.exists(10) == exists_request(8, item));  // the claim of another take
    CHECK(lost.exists(2) == "lost\nended: lost");
  }
}

TEST_CASE("if done is refused, the item is still held") {
  Taking refused = with_item();
  refused.done();
  CHECK(refused.reply(failed_multi({}, 1, ErrorCode::not_empty)) == "refused NotEmpty");
  CHECK((*refused).claim());
  CHECK(refused.done() == done_request(7));
  CHECK(refused.fail(ErrorCode::overloaded) == "pause");
  CHECK(refused.again() == "");  // the watch is not answered
  refused.reply(5, wire::ReplyBody(wire::WatchReply{{}, wire::Stat(), {}}));
  CHECK(refused.again() == done_request(8));
}

TEST_CASE("an item is given back by the deletion of its claim, if it is held") {
  Taking taking = with_item();
  CHECK(taking.give_back() == return_request(6));
  CHECK(!(*taking).claim());
  CHECK(taking.fail(ErrorCode::connection_loss) == return_request(7));
  CHECK(taking.fail(ErrorCode::condition_failed) == "ended: given back");

  Taking refused = with_item();
  refused.give_back();
  CHECK(refused.give_back() == "");
  CHECK(refused.fail(ErrorCode::no_auth) == "ended: failed NoAuth");
}

TEST_CASE("an item is lost when its claim is deleted by another client, or the session ends") {
  Taking deleted = with_item();
  CHECK(deleted.event(5, EventKind::deleted) == "lost\nended: lost");
  Taking gone = with_item();
  CHECK(gone.watched({}) == "lost\nended: lost");
  Taking other = with_item();
  CHECK(other.watched(10) == "lost\nended: lost");
  Taking ended = with_item();
  CHECK(ended.session_lost() == "lost\nended: lost");
  Taking finishing = with_item();
  finishing.done();
  CHECK(finishing.session_lost() == "lost\nended: lost");
  Taking returning = with_item();
  returning.give_back();
  CHECK(returning.session_lost() == "ended: given back");
}

TEST_CASE("before the session can have expired, an item is lost and then given back") {
  Taking taking = with_item();
  CHECK(taking.deadline_passed() == "lost\n" + return_request(6));
  CHECK(taking.reply(wire::ReplyBody(wire::EmptyReply())) == "ended: lost");
}

TEST_CASE("a held item is watched again after a lost connection, and after a resync") {
  Taking taking = with_item();
  CHECK(taking.connection_lost() == "");
  CHECK(taking.fail(ErrorCode::connection_loss) == watch_claim(6));
  CHECK(taking.watched(9) == "");
  CHECK(taking.connection_lost() == watch_claim(7));
  CHECK(taking.watched(9) == "");
  CHECK(taking.event(7, EventKind::resync) == watch_claim(8));
}

TEST_CASE("an item and the receipt of its producer are put together") {
  QueueProducer producer({work_queue("/q"), std::string(some_id), 1000});
  Told<PutText> told;
  const auto reply = [&](const wire::Result<wire::ReplyBody>& body) {
    return told.note(producer.replied(told.last(), body, at(90)));
  };
  const char* const read_1 =
      R"(ask {"id":1,"op":"multi","ops":[{"op":"get","path":"/q/puts/ID"}]})";
  CHECK(told.note(producer.begin()) == read_1);
  CHECK(reply(multi_reply({}, node_with("3 ", 3, 9))) == "last 3");
  const std::string put_rest =
      R"("op":"multi","ops":[{"op":"set","path":"/q/puts/ID","data":"4 "},)"
      R"({"op":"create","path":"/q/items/item-","data":"work","sequential":true,"parents":true}],)"
      R"("else":[{"op":"get","path":"/q/puts/ID"}],)"
      R"("if":[{"path":"/q/puts/ID","mzxid":")" +
      wire::to_hex(at(9)) + R"("}]})";
  CHECK(told.note(producer.put(4, "work")) == R"(ask {"id":2,)" + put_rest);
  CHECK(reply(wire::Error{ErrorCode::overloaded, ""}) == "pause");
  CHECK(told.note(producer.again()).starts_with(R"(ask {"id":3,"op":"multi")"));
  CHECK(reply(multi_reply({}, node_with("3 ", 3, 9))) == R"(ask {"id":4,)" + put_rest);
  CHECK(told.note(producer.session_lost()).starts_with(R"(ask {"id":5,"op":"multi")"));
  CHECK(reply(multi_reply({}, node_with("4 ", 3, 10))) == "put 4");
  // The next one needs no read.
  CHECK(told.note(producer.put(6, "more"))
            .starts_with(R"(ask {"id":6,"op":"multi","ops":[{"op":"set")"));
  CHECK(reply(multi_reply(Branch::ops, set_at(11), wire::CreateReply())) == "put 6");
  CHECK(told.note(producer.put(7, "x")).find(wire::to_hex(at(11))) != std::string::npos);
  CHECK(reply(failed_multi(Branch::ops, 1, ErrorCode::quota_exceeded)) == "failed QuotaExceeded");
}

}  // namespace zabkeeper
