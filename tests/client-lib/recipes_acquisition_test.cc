#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "tests/client-lib/recipes_attempt.h"

namespace zabkeeper {
namespace {

const std::string own_node = node_path("lock-");

Attempt a_lock() { return Attempt(lock_queue("/l", some_id)); }
Attempt waiting_lock() {
  Attempt attempt = a_lock();
  attempt.want();
  attempt.created(false);
  return attempt;
}
Attempt held_lock() {
  Attempt attempt = a_lock();
  attempt.want();
  attempt.created(true);
  attempt.watched(at(7));
  return attempt;
}

const char* const remove_4 = R"(ask {"id":4,"op":"delete","path":"/l/ID-lock-0000000003"})";
const char* const remove_3 = R"(ask {"id":3,"op":"delete","path":"/l/ID-lock-0000000003"})";
const char* const remove_2 = R"(ask {"id":2,"op":"delete","path":"/l/ID-lock-0000000003"})";
const char* const find_2 = R"(ask {"id":2,"op":"ephemerals","prefix":"/l/ID-"})";
const char* const create_3 =
    R"(ask {"id":3,"op":"create","path":"/l/ID-lock-","data":"","ephemeral":true,)"
    R"("sequential":true,"parents":true,"turn":{}})";

}  // namespace

TEST_CASE("a free lock is held with one request, and given back with another") {
  Attempt attempt = a_lock();
  CHECK(attempt.want() ==
        R"(ask {"id":1,"op":"create","path":"/l/ID-lock-","data":"","ephemeral":true,)"
        R"("sequential":true,"parents":true,"turn":{}})");
  CHECK(attempt.created(true) ==
        "held /l/ID-lock-0000000003 token 1:7 guard 1:7\n"
        R"(ask {"id":2,"op":"watch","path":"/l/ID-lock-0000000003","scope":"node","once":true})");
  CHECK(attempt.watched(at(7)) == "");
  CHECK((*attempt).grant()->token == at(7));
  CHECK(attempt.release() == remove_3);
  CHECK(!(*attempt).grant());
  CHECK(attempt.done() == "ended: released");
  CHECK((*attempt).has_ended());
}

TEST_CASE("a lock that others hold is awaited by one event") {
  Attempt attempt = a_lock();
  attempt.want();
  CHECK(attempt.created(false) == "waiting");
  CHECK(!(*attempt).grant());
  CHECK(attempt.event(wire::EventKind::turn) ==
        "held /l/ID-lock-0000000003 token 1:7 guard 1:7\n"
        R"(ask {"id":2,"op":"watch","path":"/l/ID-lock-0000000003","scope":"node","once":true})");
}

TEST_CASE("a held lock is lost when its node is deleted by another client") {
  Attempt attempt = held_lock();
  CHECK(attempt.event(wire::EventKind::deleted) == "lost: its node was deleted\nended: lost");
  CHECK(attempt.release() == "");

  // Before the watch was set.
  for (const auto czxid : {std::optional<wire::Zxid>(), std::optional(at(9))}) {
    Attempt early = a_lock();
    early.want();
    early.created(true);
    CHECK(early.watched(czxid) == "lost: its node was deleted\nended: lost");
  }
}

TEST_CASE("a held lock is watched again after any other event, and after a lost connection") {
  for (const auto kind : {wire::EventKind::changed, wire::EventKind::resync}) {
    Attempt attempt = held_lock();
    CHECK(attempt.event(kind) ==
          R"(ask {"id":3,"op":"watch","path":"/l/ID-lock-0000000003","scope":"node","once":true})");
    CHECK(attempt.event(2, wire::EventKind::deleted) == "");
    CHECK(attempt.watched(at(7)) == "");
    CHECK(attempt.event(wire::EventKind::deleted) == "lost: its node was deleted\nended: lost");
  }
  Attempt moved = held_lock();
  CHECK(moved.connection_lost() ==
        R"(ask {"id":3,"op":"watch","path":"/l/ID-lock-0000000003","scope":"node","once":true})");
  CHECK(moved.connection_lost() == "");
  CHECK(moved.fail(wire::ErrorCode::connection_loss) ==
        R"(ask {"id":4,"op":"watch","path":"/l/ID-lock-0000000003","scope":"node","once":true})");
  CHECK(moved.fail(wire::ErrorCode::overloaded) == "pause");
  CHECK(moved.again() ==
        R"(ask {"id":5,"op":"watch","path":"/l/ID-lock-0000000003","scope":"node","once":true})");
  CHECK((*moved).grant());
}

TEST_CASE("a client that waits for a lock asks again after a lost connection, and after a resync") {
  const std::string question =
      R"(ask {"id":2,"op":"watch","path":"/l/ID-lock-0000000003","scope":"turn"})";
  Attempt attempt = waiting_lock();
  CHECK(attempt.connection_lost() == question);
  CHECK(attempt.event(1, wire::EventKind::turn) == "");
  CHECK(attempt.watched(at(7), false) == "waiting");
  CHECK(attempt.event(wire::EventKind::turn).starts_with("held "));

  Attempt lagging = waiting_lock();
  CHECK(lagging.event(wire::EventKind::resync) == question);
  CHECK(lagging.watched(at(7), true).starts_with("held "));
}

TEST_CASE("an acquisition fails if its node is deleted while it waits") {
  Attempt attempt = waiting_lock();
  CHECK(attempt.event(wire::EventKind::deleted) == "ended: failed NoNode");

  Attempt asking = waiting_lock();
  asking.connection_lost();
  CHECK(asking.fail(wire::ErrorCode::no_node) == "ended: failed NoNode");
}

TEST_CASE("after a lost reply the node is found by its mark, or created again") {
  const std::string other = "/l/" + std::string(some_id) + "-lock-0000000005";
  for (const auto code : {wire::ErrorCode::connection_loss, wire::ErrorCode::operation_timeout,
                          wire::ErrorCode::session_moved}) {
    Attempt attempt = a_lock();
    attempt.want();
    CHECK(attempt.fail(code) == find_2);
    CHECK(attempt.found({}) == create_3);
    CHECK(attempt.fail(code) == R"(ask {"id":4,"op":"ephemerals","prefix":"/l/ID-"})");
    CHECK(attempt.found({other}) ==
          R"(ask {"id":5,"op":"watch","path":"/l/ID-lock-0000000005","scope":"turn"})");
    CHECK(attempt.watched(at(9), true)
              .starts_with("held /l/ID-lock-0000000005 token 1:9 guard 1:9\n"));
  }
  // With `dedup`, a receipt says that it was done, but not where.
  Attempt receipt = a_lock();
  receipt.want();
  CHECK(receipt.reply(wire::ReplyBody(wire::TruncatedReply{at(7)})) == find_2);

  // The reply to a create that is sent again may lack the turn.
  Attempt again = a_lock();
  again.want();
  CHECK(again.created({}) ==
        R"(ask {"id":2,"op":"watch","path":"/l/ID-lock-0000000003","scope":"turn"})");
}

TEST_CASE("a cancelled acquisition leaves no node") {
  Attempt never = a_lock();
  CHECK(never.release() == "ended: cancelled");

  Attempt waiting = waiting_lock();
  CHECK(waiting.release() == remove_2);
  CHECK(waiting.event(1, wire::EventKind::turn) == "");
  CHECK(waiting.done() == "ended: cancelled");

  Attempt creating = a_lock();
  creating.want();
  CHECK(creating.release() == "");
  CHECK(creating.created(true) == remove_2);
  CHECK(creating.fail(wire::ErrorCode::no_node) == "ended: cancelled");

  Attempt refused = a_lock();
  refused.want();
  refused.release();
  CHECK(refused.fail(wire::ErrorCode::no_auth) == "ended: cancelled");

  Attempt unknown = a_lock();
  unknown.want();
  unknown.release();
  CHECK(unknown.fail(wire::ErrorCode::connection_loss) == find_2);
  CHECK(unknown.found({own_node}) == remove_3);
  CHECK(unknown.fail(wire::ErrorCode::connection_loss) == remove_4);
  CHECK(unknown.done() == "ended: cancelled");

  Attempt nothing = a_lock();
  nothing.want();
  nothing.release();
  nothing.fail(wire::ErrorCode::connection_loss);
  CHECK(nothing.found({}) == "ended: cancelled");
}

TEST_CASE("a deletion is tried again until the node is gone, or nobody may delete it") {
  Attempt attempt = held_lock();
  CHECK(attempt.release() == remove_3);
  CHECK(attempt.connection_lost() == "");
  CHECK(attempt.fail(wire::ErrorCode::overloaded) == "pause");
  CHECK(attempt.again() == remove_4);
  CHECK(attempt.again() == "");
  CHECK(attempt.fail(wire::ErrorCode::no_auth) == "ended: failed NoAuth");
}

TEST_CASE("an acquisition that must not wait deletes its node when it is not its turn") {
  QueueOptions options = lock_queue("/l", some_id);
  options.only_now = true;
  Attempt attempt(options);
  attempt.want();
  CHECK(attempt.created(false) == remove_2);
  CHECK(attempt.done() == "ended: not acquired");

  Attempt free(options);
  free.want();
  CHECK(free.created(true).starts_with("held "));
}

TEST_CASE("what is held is lost with the session, and at the deadline") {
  Attempt attempt = held_lock();
  CHECK(attempt.session_lost() == "lost: the session has ended\nended: lost");

  Attempt told = held_lock();
  told.release();
  CHECK(told.fail(wire::ErrorCode::session_expired) == "ended: released");

  Attempt waiting = waiting_lock();
  CHECK(waiting.deadline_passed() == "");
  CHECK(waiting.session_lost() == "ended: failed SessionExpired");

  // The session may be alive. Then others wait for the node.
  Attempt late = held_lock();
  CHECK(late.deadline_passed() == std::string("lost: the session may have expired\n") + remove_3);
  CHECK(!(*late).grant());
  CHECK(late.release() == "");
  CHECK(late.done() == "ended: lost");
}

TEST_CASE("each family of names has its mark, and its kind") {
  struct Row {
    LockNames names;
    std::string mark, kind;
  };
  for (const Row& row : {
           Row{LockNames::own, "0123456789abcdef0123456789abcdef-", "lock-"},
           Row{LockNames::curator, "_c_01234567-89ab-cdef-0123-456789abcdef", "-lock-"},
           Row{LockNames::kazoo, "0123456789abcdef0123456789abcdef", "__lock__"},
       }) {
    const QueueOptions queue = lock_queue("/l", some_id, row.names);
    CHECK(queue.mark == row.mark);
    CHECK(queue.kind == row.kind);
    CHECK(queue.among.empty());
  }
}

}  // namespace zabkeeper
