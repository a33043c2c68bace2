#include <cstdint>
#include <string>
#include <variant>

#include <doctest/doctest.h>

#include "client-lib/recipes/barrier.h"
#include "tests/client-lib/recipes_attempt.h"

namespace zabkeeper {
namespace {

std::string text_of_barrier(const BarrierActions& actions) {
  std::string text;
  for (const BarrierAction& action : actions) {
    text += text.empty() ? "" : "\n";
    if (const auto* ask = std::get_if<Ask>(&action)) text += RecipeText()(*ask);
    if (std::holds_alternative<Pause>(action)) text += "pause";
    if (const auto* set = std::get_if<BarrierIsSet>(&action)) {
      text += "set " + wire::to_string(set->generation);
    }
    if (const auto* passed = std::get_if<BarrierPassed>(&action)) {
      text += "passed" + (passed->generation ? ' ' + wire::to_string(*passed->generation) : "");
    }
    if (const auto* failed = std::get_if<BarrierFailed>(&action)) {
      text += "failed " + std::string(wire::name(failed->error.code));
    }
  }
  return text;
}

std::string reading_barrier(int ask) {
  return R"(ask {"id":)" + std::to_string(ask) +
         R"(,"op":"get","path":"/b","consistency":"linearizable","watch":true})";
}

// A wait for /b, with its actions as text. Replies and events are for the Ask
// `last`.
class BarrierAttempt {
 public:
  std::string begin() { return text_of_barrier(wait_.begin()); }
  std::string again() { return text_of_barrier(wait_.again()); }
  std::string connection_lost() { return text_of_barrier(wait_.connection_lost()); }
  std::string session_lost() { return text_of_barrier(wait_.session_lost()); }
  std::string set_at(std::uint64_t ask, std::uint64_t generation) {
    wire::GetReply got;
    got.stat.czxid = at(generation);
    return text_of_barrier(wait_.replied(ask, wire::ReplyBody(got), at(20)));
  }
  std::string fail(std::uint64_t ask, wire::ErrorCode code) {
    return text_of_barrier(wait_.replied(ask, wire::Error{code, "x"}, at(20)));
  }
  std::string event(std::uint64_t ask, wire::EventKind kind) {
    wire::WatchEvent event;
    event.kind = kind;
    return text_of_barrier(wait_.received(ask, event));
  }

  BarrierWait& operator*() { return wait_; }

 private:
  BarrierWait wait_{"/b"};
};

}  // namespace

TEST_CASE("a barrier that is not set is passed with one request") {
  BarrierAttempt attempt;
  CHECK(attempt.begin() == reading_barrier(1));
  CHECK(attempt.fail(1, wire::ErrorCode::no_node) == "passed");
  CHECK(attempt.connection_lost() == "");
  CHECK(attempt.session_lost() == "");
}

TEST_CASE("a barrier that is set is passed when it is lifted") {
  BarrierAttempt attempt;
  attempt.begin();
  CHECK(attempt.set_at(1, 7) == "set 1:7");
  CHECK((*attempt).watched() == at(7));
  CHECK(attempt.event(2, wire::EventKind::deleted) == "");
  CHECK(attempt.event(1, wire::EventKind::deleted) == "passed 1:7");
  CHECK(!(*attempt).watched());
}

TEST_CASE("a barrier is read again after an event that is not its lift") {
  for (const auto kind : {wire::EventKind::changed, wire::EventKind::resync}) {
    BarrierAttempt attempt;
    attempt.begin();
    attempt.set_at(1, 7);
    CHECK(attempt.event(1, kind) == reading_barrier(2));
    CHECK(attempt.event(1, wire::EventKind::deleted) == "");
    CHECK(attempt.set_at(2, 7) == "");
    CHECK(attempt.event(2, wire::EventKind::deleted) == "passed 1:7");
  }
}

TEST_CASE(
    "a barrier that was lifted and set again while nobody watched "
    "releases its clients") {
  BarrierAttempt moved;
  moved.begin();
  moved.set_at(1, 7);
  CHECK(moved.connection_lost() == reading_barrier(2));
  CHECK(moved.set_at(2, 9) == "passed 1:7");

  BarrierAttempt next_session;
  next_session.begin();
  next_session.set_at(1, 7);
  CHECK(next_session.session_lost() == reading_barrier(2));
  CHECK(next_session.fail(2, wire::ErrorCode::session_expired) == "");
  CHECK(next_session.session_lost() == reading_barrier(3));
  CHECK(next_session.fail(3, wire::ErrorCode::no_node) == "passed 1:7");
}

TEST_CASE(
    "an event that comes before the reply to the read of a barrier is "
    "not lost") {
  BarrierAttempt attempt;
  attempt.begin();
  CHECK(attempt.event(1, wire::EventKind::deleted) == "");
  CHECK(attempt.set_at(1, 7) == "set 1:7\n" + reading_barrier(2));
  CHECK(attempt.fail(2, wire::ErrorCode::no_node) == "passed 1:7");
}

TEST_CASE("the read of a barrier is repeated after a lost reply, and after a pause") {
  BarrierAttempt attempt;
  attempt.begin();
  CHECK(attempt.connection_lost() == "");
  CHECK(attempt.fail(1, wire::ErrorCode::connection_loss) == reading_barrier(2));
  CHECK(attempt.fail(2, wire::ErrorCode::session_moved) == reading_barrier(3));
  CHECK(attempt.fail(3, wire::ErrorCode::server_behind) == "pause");
  CHECK(attempt.again() == reading_barrier(4));
  CHECK(attempt.again() == "");
  CHECK(attempt.fail(4, wire::ErrorCode::no_auth) == "failed NoAuth");
}

TEST_CASE(
    "a barrier is set by a create, and lifted by a delete of this "
    "generation alone") {
  const wire::CreateRequest set = set_barrier("/b", "me");
  CHECK(set.path == "/b");
  CHECK(set.data == "me");
  CHECK(set.parents);
  CHECK(!set.ephemeral);
  const BarrierLift lift = lift_barrier("/b", at(7));
  CHECK(lift.request.path == "/b");
  REQUIRE(lift.conditions.size() == 1);
  CHECK(lift.conditions[0].path == "/b");
  CHECK(lift.conditions[0].tests.czxid == at(7));
}

}  // namespace zabkeeper
