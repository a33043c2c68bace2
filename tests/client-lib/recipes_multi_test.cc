#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "client-lib/recipes/multi_acquisition.h"
#include "tests/client-lib/recipes_attempt.h"

namespace zabkeeper {
namespace {

std::string node_below(const std::string& path) {
  return path + '/' + std::string(some_id) + "-lock-0000000003";
}

std::string text_of_multi(const MultiActions& actions) {
  std::string text;
  for (const MultiAction& action : actions) {
    text += text.empty() ? "" : "\n";
    if (const auto* ask = std::get_if<Ask>(&action)) text += RecipeText()(*ask);
    if (std::holds_alternative<Pause>(action)) text += "pause";
    if (std::holds_alternative<Waiting>(action)) text += "waiting";
    if (const auto* lost = std::get_if<Lost>(&action)) text += RecipeText()(*lost);
    if (const auto* ended = std::get_if<Ended>(&action)) text += RecipeText()(*ended);
    const auto* held = std::get_if<MultiHeld>(&action);
    if (held == nullptr) continue;
    text += "held token " + wire::to_string(held->grant.token);
    for (const auto& guard : held->grant.guards()) {
      text += ' ' + shortened(guard.path) + '@' + wire::to_string(*guard.tests.czxid);
    }
  }
  return text;
}

// An acquisition of /a and /b, with its actions as text.
class MultiAttempt {
 public:
  explicit MultiAttempt(bool only_now = false)
      : multi_({.paths = {"/a", "/b"}, .id = std::string(some_id), .only_now = only_now}) {}

  std::string begin() { return text_of_multi(multi_.begin()); }
  std::string release() { return text_of_multi(multi_.release()); }
  std::string again() { return text_of_multi(multi_.again()); }
  std::string connection_lost() { return text_of_multi(multi_.connection_lost()); }
  std::string session_lost() { return text_of_multi(multi_.session_lost()); }
  std::string deadline_passed() { return text_of_multi(multi_.deadline_passed()); }

  std::string reply(std::uint64_t ask, wire::Result<wire::ReplyBody> body,
                    std::uint64_t counter = 20) {
    return text_of_multi(multi_.replied(ask, body, at(counter)));
  }
  std::string fail(std::uint64_t ask, wire::ErrorCode code) {
    return reply(ask, wire::Error{code, "x"});
  }
  std::string created(std::uint64_t ask) {
    wire::MultiReply multi;
    for (const char* path : {"/a", "/b"}) {
      multi.results.emplace_back(wire::OpReply(wire::CreateReply{node_below(path), wire::Stat()}));
    }
    return reply(ask, wire::ReplyBody(multi));
  }
  std::string refused(std::uint64_t ask, wire::ErrorCode code) {
    wire::MultiReply multi;
    multi.failed = 1;
    multi.results = {wire::Error{wire::ErrorCode::runtime_inconsistency, "x"},
                     wire::Error{code, "x"}};
    return reply(ask, wire::ReplyBody(multi));
  }
  std::string removed(std::uint64_t ask) { return reply(ask, wire::ReplyBody(wire::MultiReply())); }
  std::string deleted_one(std::uint64_t ask) {
    return reply(ask, wire::ReplyBody(wire::EmptyReply()));
  }
  std::string found(std::uint64_t ask, std::vector<std::string> paths) {
    return reply(ask, wire::ReplyBody(wire::EphemeralsReply{std::move(paths)}));
  }
  std::string watched(std::uint64_t ask, std::optional<bool> turn, std::uint64_t counter = 20) {
    wire::WatchReply watch{{}, wire::Stat(), turn};
    watch.stat->czxid = at(7);
    return reply(ask, wire::ReplyBody(watch), counter);
  }
  std::string event(std::uint64_t ask, wire::EventKind kind, std::uint64_t counter = 30) {
    wire::WatchEvent event;
    event.kind = kind;
    event.zxid = at(counter);
    return text_of_multi(multi_.received(ask, event));
  }

  MultiAcquisition& operator*() { return multi_; }

 private:
  MultiAcquisition multi_;
};

std::string turn_of(int ask, const std::string& path) {
  return R"(ask {"id":)" + std::to_string(ask) + R"(,"op":"watch","path":")" + path +
         R"(/ID-lock-0000000003","scope":"turn"})";
}
std::string watch_of(int ask, const std::string& path) {
  return R"(ask {"id":)" + std::to_string(ask) + R"(,"op":"watch","path":")" + path +
         R"(/ID-lock-0000000003","scope":"node","once":true})";
}
std::string removal_of_both(int ask) {
  return R"(ask {"id":)" + std::to_string(ask) +
         R"(,"op":"multi","ops":[{"op":"delete","path":"/a/ID-lock-0000000003"},)"
         R"({"op":"delete","path":"/b/ID-lock-0000000003"}]})";
}
std::string removal_of(int ask, const std::string& path) {
  return R"(ask {"id":)" + std::to_string(ask) + R"(,"op":"delete","path":")" + path +
         R"(/ID-lock-0000000003"})";
}
std::string creation(int ask) {
  return R"(ask {"id":)" + std::to_string(ask) +
         R"(,"op":"multi","ops":[{"op":"create","path":"/a/ID-lock-","data":"","ephemeral":true,)"
         R"("sequential":true,"parents":true},{"op":"create","path":"/b/ID-lock-","data":"",)"
         R"("ephemeral":true,"sequential":true,"parents":true}]})";
}
std::string search_below(int ask, const std::string& path) {
  return R"(ask {"id":)" + std::to_string(ask) + R"(,"op":"ephemerals","prefix":")" + path +
         R"(/ID-"})";
}

const char* const held_both = "held token 1:7 /a/ID-lock-0000000003@1:7 /b/ID-lock-0000000003@1:7";

MultiAttempt queueing_for_two() {
  MultiAttempt attempt;
  attempt.begin();
  attempt.created(1);
  return attempt;
}
// The last Ask is 5.
MultiAttempt holding_two() {
  MultiAttempt attempt = queueing_for_two();
  attempt.watched(2, true);
  attempt.watched(3, true);
  attempt.watched(4, {});
  attempt.watched(5, {});
  return attempt;
}

}  // namespace

TEST_CASE("several locks are created by one multi, and given back by another") {
  MultiAttempt attempt;
  CHECK(attempt.begin() == creation(1));
  CHECK(attempt.created(1) == turn_of(2, "/a") + '\n' + turn_of(3, "/b"));
  CHECK(attempt.watched(2, true) == watch_of(4, "/a"));
  CHECK(!(*attempt).grant());
  CHECK(attempt.watched(3, true) == watch_of(5, "/b") + '\n' + held_both);
  CHECK((*attempt).grant()->token == at(7));
  CHECK(attempt.watched(4, {}) == "");
  CHECK(attempt.watched(5, {}) == "");
  CHECK(attempt.release() == removal_of_both(6));
  CHECK(!(*attempt).grant());
  CHECK(attempt.event(4, wire::EventKind::deleted) == "");
  CHECK(attempt.removed(6) == "ended: released");
  CHECK((*attempt).has_ended());
}

TEST_CASE("several locks are held at the last turn, if the deletion of the others would be told") {
  MultiAttempt attempt = queueing_for_two();
  CHECK(attempt.watched(2, true) == watch_of(4, "/a"));
  CHECK(attempt.watched(3, false) == "waiting");
  CHECK(attempt.watched(4, {}) == "");
  CHECK(attempt.event(3, wire::EventKind::turn) == watch_of(5, "/b") + '\n' + held_both);

  // The first node may be gone when the second turn is told.
  MultiAttempt early = queueing_for_two();
  CHECK(early.watched(2, true, 20) == watch_of(4, "/a"));
  CHECK(early.watched(3, true, 21) == watch_of(5, "/b"));
  CHECK(early.watched(4, {}, 22) == "");
  CHECK(early.watched(5, {}, 22) == held_both);
}

TEST_CASE("all of several locks are lost with one of them, and the others are given back") {
  MultiAttempt attempt = holding_two();
  CHECK(attempt.event(5, wire::EventKind::deleted) ==
        R"(lost: its node was deleted)"
        "\n"
        R"(ask {"id":6,"op":"multi","ops":[{"op":"delete","path":"/a/ID-lock-0000000003"}]})");
  CHECK(!(*attempt).grant());
  CHECK(attempt.release() == "");
  CHECK(attempt.removed(6) == "ended: lost");
}

TEST_CASE("an acquisition of several locks fails if a node is deleted before all are held") {
  MultiAttempt waiting = queueing_for_two();
  waiting.watched(2, true);
  waiting.watched(3, false);
  const std::string remove_b =
      R"(ask {"id":5,"op":"multi","ops":[{"op":"delete","path":"/b/ID-lock-0000000003"}]})";
  CHECK(waiting.event(4, wire::EventKind::deleted) == remove_b);
  CHECK(waiting.removed(5) == "ended: failed NoNode");

  MultiAttempt asking = queueing_for_two();
  CHECK(asking.fail(2, wire::ErrorCode::no_node) ==
        R"(ask {"id":4,"op":"multi","ops":[{"op":"delete","path":"/b/ID-lock-0000000003"}]})");
}

TEST_CASE("a lock that may not be awaited gives back the other locks, each by itself") {
  MultiAttempt attempt = queueing_for_two();
  CHECK(attempt.fail(2, wire::ErrorCode::no_auth) == removal_of(4, "/a"));
  CHECK(attempt.release() ==
        R"(ask {"id":5,"op":"multi","ops":[{"op":"delete","path":"/b/ID-lock-0000000003"}]})");
  CHECK(attempt.watched(3, true) == "");
  CHECK(attempt.removed(5) == "");
  CHECK(attempt.fail(4, wire::ErrorCode::no_auth) == "ended: failed NoAuth");
}

TEST_CASE("several locks are asked for again after a lost connection, while waiting and held") {
  MultiAttempt attempt = queueing_for_two();
  attempt.watched(2, false);
  attempt.watched(3, true);
  attempt.watched(4, {});
  CHECK(attempt.connection_lost() == turn_of(5, "/a") + '\n' + watch_of(6, "/b"));
  CHECK(attempt.watched(5, false) == "waiting");
  CHECK(attempt.event(5, wire::EventKind::turn) == watch_of(7, "/a"));
  CHECK(attempt.watched(6, {}) == "");
  CHECK(attempt.watched(7, {}) == held_both);

  MultiAttempt held = holding_two();
  CHECK(held.connection_lost() == watch_of(6, "/a") + '\n' + watch_of(7, "/b"));
  CHECK(held.fail(6, wire::ErrorCode::connection_loss) == watch_of(8, "/a"));
  CHECK(held.fail(7, wire::ErrorCode::overloaded) == "pause");
  CHECK(held.again() == watch_of(9, "/b"));
  CHECK((*held).grant());
}

TEST_CASE("after a lost reply all nodes of several locks are found, or created again") {
  for (const auto code : {wire::ErrorCode::connection_loss, wire::ErrorCode::operation_timeout,
                          wire::ErrorCode::session_moved}) {
    MultiAttempt attempt;
    attempt.begin();
    CHECK(attempt.fail(1, code) == search_below(2, "/a"));
    CHECK(attempt.fail(2, code) == search_below(3, "/a"));
    CHECK(attempt.found(3, {}) == search_below(4, "/b"));
    CHECK(attempt.found(4, {}) == creation(5));
    CHECK(attempt.fail(5, code) == search_below(6, "/a"));
    CHECK(attempt.found(6, {node_below("/a")}) == search_below(7, "/b"));
    CHECK(attempt.fail(7, wire::ErrorCode::overloaded) == "pause");
    CHECK(attempt.again() == search_below(8, "/b"));
    CHECK(attempt.found(8, {node_below("/b")}) == turn_of(9, "/a") + '\n' + turn_of(10, "/b"));
  }
  // With `dedup`, a receipt says that it was done, but not where.
  MultiAttempt receipt;
  receipt.begin();
  CHECK(receipt.reply(1, wire::ReplyBody(wire::TruncatedReply{at(7)})) == search_below(2, "/a"));
  // Somebody has deleted one of the nodes since.
  receipt.found(2, {});
  CHECK(receipt.found(3, {node_below("/b")}) ==
        R"(ask {"id":4,"op":"multi","ops":[{"op":"delete","path":"/b/ID-lock-0000000003"}]})");
  CHECK(receipt.removed(4) == "ended: failed NoNode");
}

TEST_CASE("an acquisition of several locks that is refused leaves nothing") {
  MultiAttempt attempt;
  attempt.begin();
  CHECK(attempt.refused(1, wire::ErrorCode::no_auth) == "ended: failed NoAuth");

  MultiAttempt search;
  search.begin();
  search.fail(1, wire::ErrorCode::connection_loss);
  CHECK(search.fail(2, wire::ErrorCode::no_auth) == "ended: failed NoAuth");
}

TEST_CASE("a cancelled acquisition of several locks leaves no node") {
  MultiAttempt never;
  CHECK(never.release() == "ended: cancelled");

  MultiAttempt creating;
  creating.begin();
  CHECK(creating.release() == "");
  CHECK(creating.created(1) == removal_of_both(2));
  CHECK(creating.removed(2) == "ended: cancelled");

  MultiAttempt unknown;
  unknown.begin();
  unknown.release();
  CHECK(unknown.fail(1, wire::ErrorCode::connection_loss) == search_below(2, "/a"));
  unknown.found(2, {});
  CHECK(unknown.found(3, {}) == "ended: cancelled");

  MultiAttempt waiting = queueing_for_two();
  waiting.watched(2, false);
  CHECK(waiting.release() == removal_of_both(4));
  CHECK(waiting.connection_lost() == "");
  CHECK(waiting.watched(3, true) == "");
  CHECK(waiting.removed(4) == "ended: cancelled");
}

TEST_CASE("nodes of several locks are deleted one by one if the multi fails or has no reply") {
  MultiAttempt gone = holding_two();
  gone.release();
  CHECK(gone.fail(6, wire::ErrorCode::overloaded) == "pause");
  CHECK(gone.again() == removal_of_both(7));
  CHECK(gone.refused(7, wire::ErrorCode::no_node) ==
        removal_of(8, "/a") + '\n' + removal_of(9, "/b"));
  CHECK(gone.deleted_one(8) == "");
  CHECK(gone.fail(9, wire::ErrorCode::no_node) == "ended: released");

  MultiAttempt lost = holding_two();
  lost.release();
  CHECK(lost.fail(6, wire::ErrorCode::connection_loss) ==
        removal_of(7, "/a") + '\n' + removal_of(8, "/b"));
  CHECK(lost.fail(8, wire::ErrorCode::connection_loss) == removal_of(9, "/b"));
  CHECK(lost.fail(9, wire::ErrorCode::no_auth) == "");
  CHECK(lost.fail(7, wire::ErrorCode::no_node) == "ended: failed NoAuth");
}

TEST_CASE("several locks that must not be awaited are held all at once, or none is") {
  MultiAttempt attempt(true);
  attempt.begin();
  attempt.created(1);
  CHECK(attempt.watched(2, true) == watch_of(4, "/a"));
  CHECK(attempt.watched(3, false) == removal_of_both(5));
  CHECK(attempt.watched(4, {}) == "");
  CHECK(attempt.removed(5) == "ended: not acquired");

  MultiAttempt free(true);
  free.begin();
  free.created(1);
  free.watched(2, true);
  CHECK(free.watched(3, true) == watch_of(5, "/b") + '\n' + held_both);
}

TEST_CASE("several locks are lost with the session, and at the deadline") {
  MultiAttempt held = holding_two();
  CHECK(held.session_lost() == "lost: the session has ended\nended: lost");
  CHECK(held.session_lost() == "");

  MultiAttempt late = holding_two();
  CHECK(late.deadline_passed() ==
        std::string("lost: the session may have expired\n") + removal_of_both(6));
  CHECK(late.deadline_passed() == "");
  CHECK(late.removed(6) == "ended: lost");

  MultiAttempt waiting = queueing_for_two();
  CHECK(waiting.fail(2, wire::ErrorCode::session_expired) == "ended: failed SessionExpired");

  MultiAttempt leaving = holding_two();
  leaving.release();
  CHECK(leaving.session_lost() == "ended: released");
}

}  // namespace zabkeeper
