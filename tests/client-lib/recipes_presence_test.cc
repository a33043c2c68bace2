#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "client-lib/recipes/presence.h"
#include "tests/client-lib/recipes_being.h"

namespace zabkeeper {

TEST_CASE("a presence creates its node, and watches it") {
  Being being;
  CHECK(being.begin() == R"(ask {"id":1,"op":"get","path":"/g/me"})");
  CHECK(being.fail(ErrorCode::no_node) == create_ask(2));
  CHECK_FALSE((*being).is_present());
  CHECK(being.created(7) == "present /g/me 1:7\n" + watch_ask(3));
  CHECK((*being).is_present());
  CHECK(being.watched(3, 7) == "");
}

TEST_CASE(
    "a presence takes over the node of a former session in one transaction, with a condition") {
  Being being;
  being.begin();
  CHECK(being.found(node_bytes(other_id, "me"), 5) == take_over_ask(2, "0000010000000005"));
  SUBCASE("it is done") { CHECK(being.taken_over(7) == "present /g/me 1:7\n" + watch_ask(3)); }
  SUBCASE("the former session has ended meanwhile") {
    CHECK(being.fail(ErrorCode::condition_failed) == look_ask(3));
    CHECK(being.fail(ErrorCode::no_node) == create_ask(4));
  }
  SUBCASE("the former node has children") {
    wire::MultiReply multi;
    multi.results.emplace_back(wire::Error{ErrorCode::not_empty, "x"});
    multi.results.emplace_back(wire::Error{ErrorCode::runtime_inconsistency, "x"});
    multi.failed = 0;
    CHECK(being.reply_to(2, wire::ReplyBody(multi)) == "ended: failed NotEmpty");
  }
  SUBCASE("the reply is lost, and it was done") {
    CHECK(being.fail(ErrorCode::connection_loss) == look_ask(3));
    CHECK(being.found(node_bytes(std::string(some_id), "me"), 7) ==
          "present /g/me 1:7\n" + watch_ask(4));
  }
  SUBCASE("the reply is lost, and it was not done") {
    being.fail(ErrorCode::session_moved);
    CHECK(being.found(node_bytes(other_id, "me"), 5) == take_over_ask(4, "0000010000000005"));
  }
}

TEST_CASE("a presence looks for its node when the reply to the create is lost") {
  Being being;
  being.begin();
  being.fail(ErrorCode::no_node);
  SUBCASE("it exists") {
    CHECK(being.fail(ErrorCode::connection_loss) == look_ask(3));
    CHECK(being.fail(ErrorCode::connection_loss) == look_ask(4));
    CHECK(being.found(node_bytes(std::string(some_id), "me"), 7) ==
          "present /g/me 1:7\n" + watch_ask(5));
  }
  SUBCASE("it does not exist") {
    CHECK(being.reply_to(2, wire::ReplyBody(wire::TruncatedReply{})) == look_ask(3));
    CHECK(being.fail(ErrorCode::no_node) == create_ask(4));
  }
  SUBCASE("it exists, and has other data than are wanted now") {
    being.update("e");
    being.fail(ErrorCode::operation_timeout);
    CHECK(being.found(node_bytes(std::string(some_id), "me"), 7) ==
          "present /g/me 1:7\n" + watch_ask(4) + '\n' + set_ask(5, "e"));
  }
}

TEST_CASE("a presence waits while its path has a node of another owner") {
  Being being;
  being.begin();
  CHECK(being.found(node_bytes(other_id, "you"), 5) == "occupied you\n" + watch_ask(2));
  CHECK(being.connection_lost() == "");
  CHECK(being.watched(2, 5) == "");
  CHECK(being.event(2, wire::EventKind::changed) == watch_ask(3));
  CHECK(being.fail(ErrorCode::connection_loss) == watch_ask(4));
  being.watched(4, 5);
  CHECK(being.connection_lost() == watch_ask(5));
  SUBCASE("until it is deleted") {
    CHECK(being.event(5, wire::EventKind::deleted) == look_ask(6));
    CHECK(being.fail(ErrorCode::no_node) == create_ask(7));
    CHECK(being.fail(ErrorCode::node_exists) == look_ask(8));
    CHECK(being.found("no presence", 9) == "occupied \n" + watch_ask(9));
  }
  SUBCASE("until another node is there") { CHECK(being.watched(5, 6) == look_ask(6)); }
  SUBCASE("until none is there") { CHECK(being.watched(5, {}) == look_ask(6)); }
  SUBCASE("or until its end") { CHECK(being.end() == "ended: removed"); }
  SUBCASE("or until it may not watch") {
    CHECK(being.fail(ErrorCode::no_auth) == "ended: failed NoAuth");
  }
}

TEST_CASE("a presence whose node another client deletes creates it again") {
  Being being = present_being();
  SUBCASE("told by the event") {
    CHECK(being.event(3, wire::EventKind::deleted) == "absent\n" + look_ask(4));
  }
  SUBCASE("told by the watch that it sets again") {
    CHECK(being.connection_lost() == watch_ask(4));
    CHECK(being.watched(4, 8) == "absent\n" + look_ask(5));
  }
  SUBCASE("told by an update") {
    CHECK(being.update("e") == set_ask(4, "e"));
    CHECK(being.fail(ErrorCode::condition_failed) == "absent\n" + look_ask(5));
  }
  CHECK_FALSE((*being).is_present());
  CHECK(being.fail(ErrorCode::no_node).find(R"("op":"create")") != std::string::npos);
  CHECK(being.created(9).starts_with("present /g/me 1:9\n"));
}

TEST_CASE("a presence ends when a later one of the same owner has taken over") {
  Being being = present_being();
  being.event(3, wire::EventKind::deleted);
  CHECK(being.found(node_bytes(other_id, "me"), 9) == "ended: superseded");
  CHECK((*being).has_ended());
}

TEST_CASE("a presence updates its data, one request after the other") {
  Being being = present_being();
  CHECK(being.update("e") == set_ask(4, "e"));
  CHECK(being.update("f") == "");
  CHECK(being.event(3, wire::EventKind::changed) == watch_ask(5));
  CHECK(being.was_set(4) == set_ask(6, "f"));
  CHECK(being.fail_at(6, ErrorCode::connection_loss) == set_ask(7, "f"));
  CHECK(being.fail_at(7, ErrorCode::overloaded) == "pause");
  CHECK(being.again() == set_ask(8, "f"));
  CHECK(being.was_set(8) == "updated");
  CHECK(being.update("g") == set_ask(9, "g"));
  CHECK(being.fail_at(9, ErrorCode::quota_exceeded) == "update refused QuotaExceeded");
  CHECK(being.update("g") == set_ask(10, "g"));
  CHECK(being.update("h") == "");
  CHECK(being.fail_at(10, ErrorCode::quota_exceeded) ==
        "update refused QuotaExceeded\n" + set_ask(11, "h"));
}

TEST_CASE("a presence removes its own node, and no other, at its end") {
  Being being = present_being();
  CHECK(being.end() == remove_ask(4));
  CHECK(being.end() == "");
  CHECK(being.event(3, wire::EventKind::deleted) == "");
  SUBCASE("done") { CHECK(being.done(4) == "ended: removed"); }
  SUBCASE("another one has its path") {
    CHECK(being.fail(ErrorCode::condition_failed) == "ended: removed");
  }
  SUBCASE("the reply is lost") {
    CHECK(being.fail(ErrorCode::connection_loss) == remove_ask(5));
    CHECK(being.fail(ErrorCode::not_ready) == "pause");
    CHECK(being.again() == remove_ask(6));
    CHECK(being.done(6) == "ended: removed");
  }
  SUBCASE("it may not be deleted") {
    CHECK(being.fail(ErrorCode::no_auth) == "ended: failed NoAuth");
  }
  SUBCASE("the session ends") { CHECK(being.session_lost() == "ended: session lost"); }
}

TEST_CASE("a presence that ends before its node is known to exist leaves none") {
  Being being;
  SUBCASE("before it begins") { CHECK(being.end() == "ended: removed"); }
  SUBCASE("while it looks for the first time") {
    being.begin();
    CHECK(being.end() == "ended: removed");
    CHECK(being.fail(ErrorCode::no_node) == "");
  }
  SUBCASE("while it creates") {
    being.begin();
    being.fail(ErrorCode::no_node);
    CHECK(being.end() == "");
    SUBCASE("done") { CHECK(being.created(7) == remove_ask(3)); }
    SUBCASE("refused") { CHECK(being.fail(ErrorCode::overloaded) == "ended: removed"); }
    SUBCASE("unknown, and done") {
      being.fail(ErrorCode::connection_loss);
      CHECK(being.found(node_bytes(std::string(some_id), "me"), 7) == remove_ask(4));
    }
    SUBCASE("unknown, and not done") {
      being.fail(ErrorCode::connection_loss);
      CHECK(being.fail(ErrorCode::no_node) == "ended: removed");
    }
    SUBCASE("unknown, and the node is that of another owner") {
      being.fail(ErrorCode::connection_loss);
      CHECK(being.found(node_bytes(other_id, "you"), 7) == "ended: removed");
    }
    SUBCASE("unknown, and the node is that of another presence of the same owner") {
      being.fail(ErrorCode::connection_loss);
      CHECK(being.found(node_bytes(other_id, "me"), 7) == "ended: removed");
    }
  }
  SUBCASE("while it looks after a lost reply") {
    being.begin();
    being.fail(ErrorCode::no_node);
    being.fail(ErrorCode::connection_loss);
    CHECK(being.end() == "");
    CHECK(being.found(node_bytes(std::string(some_id), "me"), 7) == remove_ask(4));
  }
}

TEST_CASE("a presence ends with its session") {
  Being being = present_being();
  SUBCASE("told") { CHECK(being.session_lost() == "ended: session lost"); }
  SUBCASE("a request is refused") {
    being.update("e");
    CHECK(being.fail(ErrorCode::session_expired) == "ended: session lost");
  }
  CHECK(being.session_lost() == "");
  CHECK(being.connection_lost() == "");
  CHECK(being.again() == "");
  CHECK(being.update("f") == "");
}

TEST_CASE("a presence pauses while a server has no room") {
  Being being;
  being.begin();
  CHECK(being.fail(ErrorCode::server_behind) == "pause");
  CHECK(being.again() == look_ask(2));
  being.fail(ErrorCode::no_node);
  CHECK(being.fail(ErrorCode::overloaded) == "pause");
  CHECK(being.again() == look_ask(4));
  being.fail(ErrorCode::no_node);
  being.created(7);
  CHECK(being.fail_at(6, ErrorCode::throttled) == "pause");
  CHECK(being.again() == watch_ask(7));
  CHECK(being.fail_at(7, ErrorCode::no_auth) == "");
  CHECK((*being).is_present());
}

TEST_CASE("a presence fails if its node can be neither read nor created") {
  Being being;
  being.begin();
  SUBCASE("read") { CHECK(being.fail(ErrorCode::no_auth) == "ended: failed NoAuth"); }
  SUBCASE("created") {
    being.fail(ErrorCode::no_node);
    CHECK(being.fail(ErrorCode::quota_exceeded) == "ended: failed QuotaExceeded");
  }
}

TEST_CASE(
    "a sequential presence whose create has an unknown outcome looks for its own node first") {
  Being being(true);
  being.begin();
  being.listed({});
  being.created(3, "/g/me-1");
  being.watched(3, 3);
  // Another client deletes the node. Meanwhile a later presence of the owner has come.
  being.event(3, wire::EventKind::deleted);
  being.fail(ErrorCode::connection_loss);
  const auto own = node_bytes(std::string(some_id), "me");
  const auto later = node_bytes(other_id, "me");
  SUBCASE("its node is behind the other one") {
    CHECK(being.listed({{"me-2", later}, {"me-3", own}}).starts_with("present /g/me-3 "));
  }
  SUBCASE("its node is on the next page") {
    CHECK(being.listed({{"me-2", later}}, true).starts_with("ask "));
    CHECK(being.listed({{"me-3", own}}).starts_with("present /g/me-3 "));
  }
  SUBCASE("it has no node") { CHECK(being.listed({{"me-2", later}}) == "ended: superseded"); }
}

TEST_CASE("a sequential presence finds the nodes of its former sessions by the owner") {
  Being being(true);
  CHECK(being.begin() ==
        R"(ask {"id":1,"op":"children","path":"/g","withStat":true,"withData":true,)"
        R"("after":"me-","before":"me.","limit":100})");
  CHECK(being.listed({{"me-0000000001", node_bytes(other_id, "me")},
                      {"me-0000000002", std::nullopt},
                      {"me-x", wire::Bytes("x")}},
                     true) ==
        R"(ask {"id":2,"op":"children","path":"/g","withStat":true,"withData":true,)"
        R"("after":"me-x","before":"me.","limit":100,"consistency":"linearizable"})");
  CHECK(being.listed({{"me-you-0000000001", node_bytes(other_id, "me-you")}}) ==
        R"(ask {"id":3,"op":"multi","ops":[{"op":"delete","path":"/g/me-0000000001"},)"
        R"({"op":"create","path":"/g/me-","data":"ID me\nd","ephemeral":true,)"
        R"("sequential":true,"parents":true}],)"
        R"("if":[{"path":"/g/me-0000000001","czxid":"0000010000000005"}]})");
  SUBCASE("it is done") {
    CHECK(being.taken_over(7, "/g/me-0000000004") ==
          "present /g/me-0000000004 1:7\n"
          R"(ask {"id":4,"op":"watch","path":"/g/me-0000000004","scope":"node","once":true})");
  }
  SUBCASE("the reply is lost") {
    being.fail(ErrorCode::connection_loss);
    CHECK(being.listed({{"me-0000000004", node_bytes(std::string(some_id), "me")}})
              .starts_with("present /g/me-0000000004 1:5\n"));
  }
}

TEST_CASE("a sequential presence creates its node below a parent that may be missing") {
  Being being(true);
  being.begin();
  CHECK(being.fail(ErrorCode::no_node) ==
        R"(ask {"id":2,"op":"create","path":"/g/me-","data":"ID me\nd","ephemeral":true,)"
        R"("sequential":true,"parents":true})");
}

TEST_CASE("the data of a presence have its id and its owner") {
  const PresenceData some{std::string(some_id), "an owner: 1", "a\nb"};
  CHECK(presence_in(bytes_of(some)) == some);
  CHECK(presence_in(bytes_of({std::string(some_id), "o", ""}))->data == "");
  for (const std::string& other :
       {std::string(), std::string("x\n"), std::string(some_id), std::string(some_id) + "\n",
        std::string(some_id) + "-me\nd", std::string(some_id) + " me",
        'X' + std::string(some_id).substr(1) + " me\nd"}) {
    CAPTURE(other);
    CHECK_FALSE(presence_in(other));
  }
}

}  // namespace zabkeeper
