#include <limits>
#include <optional>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "client-lib/recipes/counter.h"
#include "tests/client-lib/recipes_text.h"

namespace zabkeeper {
namespace {

using wire::Branch;
using wire::ErrorCode;

struct CounterText {
  std::string operator()(const Ask& ask) const { return RecipeText()(ask); }
  std::string operator()(const Pause&) const { return "pause"; }
  std::string operator()(const CounterReady& ready) const {
    return "last " + std::to_string(ready.last) + ", value " + std::to_string(ready.value);
  }
  std::string operator()(const CounterAdded& added) const {
    return "added " + std::to_string(added.number) + ", value " + std::to_string(added.value);
  }
  std::string operator()(const CounterRead& read) const {
    return "value " + std::to_string(read.value) + " at " + wire::to_string(read.zxid);
  }
  std::string operator()(const CounterFailed& failed) const {
    return "failed " + std::string(wire::name(failed.error.code)) +
           (failed.may_be_done ? ", may be done" : "");
  }
};

// The counter /c, with its actions as text. Replies are for the last Ask.
class Counting {
 public:
  std::string begin() { return told_.note(counter_.begin()); }
  std::string add(std::uint64_t number, std::int64_t amount) {
    return told_.note(counter_.add(number, amount));
  }
  std::string read() { return told_.note(counter_.read()); }
  std::string again() { return told_.note(counter_.again()); }
  std::string session_lost() { return told_.note(counter_.session_lost()); }
  std::string give_up() { return told_.note(counter_.give_up({ErrorCode::session_expired, "x"})); }
  std::string reply(const wire::Result<wire::ReplyBody>& body) {
    return told_.note(counter_.replied(told_.last(), body, at(90)));
  }
  std::string fail(ErrorCode code) { return reply(wire::Error{code, "x"}); }
  // The receipt and the counter, as a read or the other branch shows them.
  std::string found(const std::string& receipt, const std::string& value, std::uint64_t mzxid,
                    std::optional<Branch> branch = {}, std::uint64_t czxid = 3) {
    return reply(multi_reply(branch, node_with(receipt, czxid, mzxid), node_with(value, 2, mzxid)));
  }
  std::string written(std::uint64_t mzxid) {
    return reply(multi_reply(Branch::ops, set_at(mzxid), set_at(mzxid)));
  }

 private:
  CounterOwner counter_{{"/c", std::string(some_id), 1000}};
  Told<CounterText> told_;
};

std::string read_request(int id) {
  return R"(ask {"id":)" + std::to_string(id) +
         R"(,"op":"multi","ops":[{"op":"get","path":"/c/ID"},{"op":"get","path":"/c"}]})";
}

// The addition with this number, which makes the value so, if nothing was set after `mzxid`.
std::string write_request(int id, const std::string& number, const std::string& value,
                          const std::string& mzxid) {
  return R"(ask {"id":)" + std::to_string(id) +
         R"(,"op":"multi","ops":[{"op":"set","path":"/c/ID","data":")" + number + ' ' + value +
         R"("},{"op":"set","path":"/c","data":")" + value +
         R"("}],"else":[{"op":"get","path":"/c/ID"},{"op":"get","path":"/c"}],)" +
         R"("if":[{"path":"/c/ID","mzxid":")" + mzxid + R"("},{"path":"/c","mzxid":")" + mzxid +
         R"("}]})";
}

const std::string at_9 = wire::to_hex(at(9));
const std::string at_10 = wire::to_hex(at(10));

// The addition 4 of 2, which was sent. The value was 40.
Counting adding() {
  Counting counting;
  counting.add(4, 2);
  counting.found("3 17", "40", 9);
  return counting;
}

}  // namespace

TEST_CASE("an addition sets the counter and the receipt together, if both are as they were read") {
  Counting counting;
  CHECK(counting.add(4, 2) == read_request(1));
  CHECK(counting.found("3 17", "40", 9) == write_request(2, "4", "42", at_9));
  CHECK(counting.written(10) == "added 4, value 42");
  // The next one needs no read.
  CHECK(counting.add(5, -2) == write_request(3, "5", "40", at_10));
  CHECK(counting.written(11) == "added 5, value 40");
}

TEST_CASE(
    "a call fails if there is no further session, and an addition that was sent may be done") {
  CHECK(adding().give_up() == "failed SessionExpired, may be done");
  Counting reading;
  reading.read();
  CHECK(reading.give_up() == "failed SessionExpired");
  CHECK(reading.fail(ErrorCode::session_expired).empty());
  Counting looking;
  looking.add(1, 1);
  CHECK(looking.give_up() == "failed SessionExpired");
  CHECK(looking.give_up().empty());
  CHECK(looking.read().starts_with("ask "));
}

TEST_CASE("a missing counter is created with the receipt, and begins with 0") {
  Counting counting;
  CHECK(counting.begin() == read_request(1));
  const char* const create_2 =
      R"(ask {"id":2,"op":"create","path":"/c/ID","data":"0 ","parents":true,"ttlMs":1000})";
  CHECK(counting.reply(failed_multi({}, 0, ErrorCode::no_node)) == create_2);
  CHECK(counting.fail(ErrorCode::connection_loss) == read_request(3));
  counting.reply(failed_multi({}, 0, ErrorCode::no_node));
  CHECK(counting.fail(ErrorCode::node_exists) == read_request(5));
  counting.reply(failed_multi({}, 0, ErrorCode::no_node));
  CHECK(counting.reply(wire::ReplyBody(wire::CreateReply())) == read_request(7));
  CHECK(counting.found("0 ", "", 9) == "last 0, value 0");
  CHECK(counting.add(1, 5) == write_request(8, "1", "5", at_9));
}

TEST_CASE("an addition that another one forestalled is repeated with the value that was found") {
  Counting counting = adding();
  CHECK(counting.found("3 17", "50", 10, Branch::otherwise) == write_request(3, "4", "52", at_10));
  CHECK(counting.written(11) == "added 4, value 52");
}

TEST_CASE("after a lost reply, the receipt says whether the addition is done") {
  for (const ErrorCode lost : {ErrorCode::connection_loss, ErrorCode::operation_timeout,
                               ErrorCode::session_moved, ErrorCode::session_expired}) {
    Counting done = adding();
    CHECK(done.fail(lost) == read_request(3));
    CHECK(done.fail(lost) == read_request(4));
    CHECK(done.found("4 42", "77", 12) == "added 4, value 42");

    Counting not_done = adding();
    not_done.fail(lost);
    CHECK(not_done.found("3 17", "40", 9) == write_request(4, "4", "42", at_9));
    // The first copy was carried out after the read.
    CHECK(not_done.found("4 42", "42", 10, Branch::otherwise) == "added 4, value 42");
  }
  Counting truncated = adding();
  CHECK(truncated.reply(wire::ReplyBody(wire::TruncatedReply{at(10)})) == read_request(3));
  // A result that was kept over a change of the level does not say its branch.
  Counting no_branch = adding();
  CHECK(no_branch.reply(multi_reply({}, set_at(10), set_at(10))) == read_request(3));
}

TEST_CASE("an addition survives the end of its session, in every phase") {
  Counting reading;
  reading.add(4, 2);
  CHECK(reading.session_lost() == read_request(2));

  Counting creating;
  creating.add(4, 2);
  creating.reply(failed_multi({}, 0, ErrorCode::no_node));
  CHECK(creating.session_lost() == read_request(3));

  Counting write = adding();
  CHECK(write.session_lost() == read_request(3));
  CHECK(write.found("4 42", "42", 10) == "added 4, value 42");

  Counting value;
  value.read();
  CHECK(value.session_lost() ==
        R"(ask {"id":2,"op":"get","path":"/c","consistency":"linearizable"})");

  Counting idle;
  CHECK(idle.session_lost() == "");
}

TEST_CASE("a program that starts again finds the number of its last addition") {
  Counting counting;
  counting.begin();
  CHECK(counting.found("4 42", "77", 12) == "last 4, value 77");
  CHECK(counting.add(4, 2) == "added 4, value 42");
  CHECK(counting.add(3, 2) == "failed BadArguments, may be done");
}

TEST_CASE("if the receipt is gone, an addition whose reply was lost stays unknown") {
  Counting unknown = adding();
  unknown.fail(ErrorCode::connection_loss);
  unknown.reply(failed_multi({}, 0, ErrorCode::no_node));
  unknown.reply(wire::ReplyBody(wire::CreateReply()));
  CHECK(unknown.found("0 ", "42", 13, {}, 13) == "failed ConnectionLoss, may be done");
  CHECK(unknown.add(4, 2) == "failed ConnectionLoss, may be done");
  CHECK(unknown.add(5, 1) == write_request(6, "5", "43", wire::to_hex(at(13))));

  // Without a lost reply the addition was not carried out.
  Counting known = adding();
  CHECK(known.reply(failed_multi(Branch::otherwise, 0, ErrorCode::no_node))
            .starts_with(R"(ask {"id":3,"op":"create","path":"/c/ID")"));
  known.reply(wire::ReplyBody(wire::CreateReply()));
  CHECK(known.found("0 ", "40", 9, {}, 9) == write_request(5, "4", "42", at_9));
}

TEST_CASE("an addition pauses while the ensemble has no room, and then reads again") {
  Counting counting = adding();
  CHECK(counting.again() == "");
  CHECK(counting.fail(ErrorCode::overloaded) == "pause");
  CHECK(counting.again() == read_request(3));
  CHECK(counting.fail(ErrorCode::not_ready) == "pause");
  CHECK(counting.session_lost() == read_request(4));
}

TEST_CASE("a refused addition fails, and says whether a copy of it may be done") {
  Counting refused = adding();
  CHECK(refused.reply(failed_multi(Branch::ops, 1, ErrorCode::no_auth)) == "failed NoAuth");
  Counting unknown = adding();
  unknown.fail(ErrorCode::connection_loss);
  CHECK(unknown.fail(ErrorCode::no_auth) == "failed NoAuth, may be done");
  CHECK(unknown.add(4, 2) == read_request(4));
  CHECK(unknown.found("4 42", "42", 10) == "added 4, value 42");

  Counting not_a_number;
  not_a_number.add(1, 1);
  CHECK(not_a_number.found("0 ", "abc", 9) == "failed BadArguments");
  Counting other_receipt;
  other_receipt.add(1, 1);
  CHECK(other_receipt.found("abc", "1", 9) == "failed BadArguments");
  Counting overflow;
  overflow.add(1, 1);
  CHECK(overflow.found("0 ", std::to_string(std::numeric_limits<std::int64_t>::max()), 9) ==
        "failed BadArguments");
}

TEST_CASE("an addition that is told to be too large may be done, and begins again") {
  Counting counting = adding();
  CHECK(counting.fail(ErrorCode::too_large) == "failed TooLarge, may be done");
  CHECK(counting.add(4, 2) == write_request(3, "4", "42", at_9));
  CHECK(counting.found("4 42", "77", 12, Branch::otherwise) == "added 4, value 42");
}

TEST_CASE("the value of a counter is read linearizably") {
  Counting counting;
  const char* const get_1 = R"(ask {"id":1,"op":"get","path":"/c","consistency":"linearizable"})";
  const char* const get_2 = R"(ask {"id":2,"op":"get","path":"/c","consistency":"linearizable"})";
  const char* const get_3 = R"(ask {"id":3,"op":"get","path":"/c","consistency":"linearizable"})";
  CHECK(counting.read() == get_1);
  CHECK(counting.again() == "");
  CHECK(counting.fail(ErrorCode::connection_loss) == get_2);
  CHECK(counting.fail(ErrorCode::overloaded) == "pause");
  CHECK(counting.again() == get_3);
  CHECK(counting.reply(wire::ReplyBody(node_with("42", 1, 2))) == "value 42 at 1:90");
  counting.read();
  CHECK(counting.fail(ErrorCode::no_node) == "value 0 at 1:90");
  counting.read();
  CHECK(counting.fail(ErrorCode::no_auth) == "failed NoAuth");
  counting.read();
  CHECK(counting.reply(wire::ReplyBody(node_with("4x", 1, 2))) == "failed BadArguments");
}

}  // namespace zabkeeper
