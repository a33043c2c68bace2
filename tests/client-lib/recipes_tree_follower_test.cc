#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "client-lib/recipes/tree_follower.h"
#include "tests/client-lib/recipes_following.h"

namespace zabkeeper {

TEST_CASE("a follower sets its watch, reads the tree, and tells it once") {
  Following one;
  CHECK(one.begin() == watch_1);
  CHECK(one.watched(1, 18) == get_2);
  CHECK(one.got(2, 19, "t", 5, 2) == list_3);
  CHECK_FALSE((*one).is_following());
  CHECK(one.listed(3, 20, {{"a", 10, 10, "a"}, {"b", 11, 12, "b"}}) ==
        "at 20: /t=t@5 /t/a=a@10 /t/b=b@12");
  CHECK(one.content() == "/t=t@5 /t/a=a@10 /t/b=b@12");
  CHECK((*one).zxid() == at(20));
  CHECK((*one).is_following());
  CHECK((*one).content().at("/t/b") == TreeNode{"b", 1, at(11), at(12)});
}

TEST_CASE("a follower reads many children in pages, and several folders at once") {
  Following one({.path = "/t", .page_max = 2, .reads_max = 2});
  one.begin();
  one.watched(1, 18);
  CHECK(one.got(2, 19, "t", 5, 3) ==
        R"(ask {"id":3,"op":"children","path":"/t","withStat":true,"withData":true,"limit":2})");
  CHECK(one.listed(3, 20, {{"a", 10, 10, "a", 1}, {"b", 11, 12, "b", 1}}, true) ==
        R"(ask {"id":4,"op":"children","path":"/t/b","withStat":true,"withData":true,"limit":2})"
        "\n"
        R"(ask {"id":5,"op":"children","path":"/t/a","withStat":true,"withData":true,"limit":2})");
  CHECK(one.listed(4, 21, {{"y", 11, 11, "y"}}) ==
        R"(ask {"id":6,"op":"children","path":"/t","withStat":true,"withData":true,)"
        R"("after":"b","limit":2})");
  CHECK(one.listed(5, 21, {{"x", 10, 10, "x"}}) == "");
  CHECK(one.listed(6, 22, {{"c", 13, 13, "c"}}) ==
        "at 22: /t=t@5 /t/a=a@10 /t/a/x=x@10 /t/b=b@12 /t/b/y=y@11 /t/c=c@13");
}

TEST_CASE("a follower tells a transaction when its events are complete") {
  Following one = following_tree();
  CHECK(one.event(1, EventKind::changed, "/t/a", 21) == exists_ask(4));
  CHECK(one.event(1, EventKind::deleted, "/t/b", 21) == "");
  CHECK(one.content() == "/t=t@5 /t/a=a@10 /t/b=b@12");
  // The event of a later transaction shows it, and so does the reply to a read.
  CHECK(one.event(1, EventKind::created, "/t/c", 23) == "at 21: /t/a=21@21 /t/b gone");
  CHECK(one.content() == "/t=t@5 /t/a=21@21");
  CHECK((*one).zxid() == at(22));
  CHECK(one.confirmed(4, 22) == exists_ask(5));
  CHECK_FALSE((*one).is_following());
  CHECK(one.confirmed(5, 24) == "at 23: /t/c=23@23");
  CHECK((*one).zxid() == at(24));
  CHECK((*one).is_following());
}

TEST_CASE(
    "a node that one transaction deletes and creates is told twice, a vanished one not at all") {
  Following one = following_tree();
  one.event(1, EventKind::deleted, "/t/a", 21);
  one.event(1, EventKind::created, "/t/a", 21);
  wire::WatchEvent vanished;
  vanished.kind = EventKind::created;
  vanished.path = "/t/v";
  vanished.zxid = at(21);
  CHECK((*one).received(1, vanished).empty());
  one.event(1, EventKind::deleted, "/t/v", 21);
  CHECK(one.confirmed(4, 21) == "at 21: /t/a gone /t/a=21@21");
  // Nothing is told of a transaction that leaves no version.
  CHECK((*one).received(1, vanished).empty());
  one.event(1, EventKind::deleted, "/t/v", 22);
  CHECK(one.confirmed(5, 22) == "");
  CHECK((*one).zxid() == at(22));
}

TEST_CASE("a follower applies to a page only the events that are later than the page") {
  Following one;
  one.begin();
  one.watched(1, 18);
  one.got(2, 19, "t", 5, 2);
  // Both pages are answered late: the list shows 21, and not yet 22 and 23.
  one.event(1, EventKind::changed, "/t/a", 20);
  one.event(1, EventKind::changed, "/t/a", 21);
  one.event(1, EventKind::deleted, "/t/b", 22);
  one.event(1, EventKind::created, "/t/c", 23);
  CHECK(one.listed(3, 21, {{"a", 10, 21, "a"}, {"b", 11, 12, "b"}}) ==
        "at 21: /t=t@5 /t/a=a@21 /t/b=b@12\n" + exists_ask(4));
  CHECK(one.confirmed(4, 23) == "at 22: /t/b gone\nat 23: /t/c=23@23");
}

TEST_CASE("events bring what was read earlier to the zxid of a later page") {
  Following one;
  one.begin();
  one.watched(1, 18);
  one.got(2, 19, "t", 5, 1);
  one.event(1, EventKind::changed, "/t", 20);
  CHECK(one.listed(3, 20, {{"a", 10, 10, "a"}}) == "at 20: /t=20@20 /t/a=a@10");
}

TEST_CASE("a follower waits for a node that is missing") {
  Following one;
  one.begin();
  one.watched(1, 18);
  CHECK(one.fail(2, ErrorCode::no_node, 19) == "at 19:");
  one.event(1, EventKind::created, "/t", 21);
  CHECK(one.confirmed(3, 21) == "at 21: /t=21@21");
}

TEST_CASE("a follower of one node reads no children") {
  Following one({.path = "/t", .only_node = true});
  CHECK(one.begin() == R"(ask {"id":1,"op":"watch","path":"/t","scope":"node","withData":true})");
  one.watched(1, 18);
  CHECK(one.got(2, 19, "t", 5, 7) == "at 19: /t=t@5");
}

TEST_CASE("after a lost connection a follower asks for the events since the tree that it has") {
  Following one = following_tree();
  one.event(1, EventKind::changed, "/t/a", 30);
  CHECK(one.connection_lost() ==
        R"(ask {"id":5,"op":"watch","path":"/t","scope":"subtree","withData":true,)"
        R"("from":"000001000000001d"})");
  CHECK(one.connection_lost() == "");
  CHECK(one.event(1, EventKind::changed, "/t/a", 31) == "");  // of the watch before
  CHECK(one.confirmed(4, 40) == "");
  // All events of the last transaction come again.
  CHECK(one.event(5, EventKind::changed, "/t/a", 30) == "");
  CHECK(one.event(5, EventKind::changed, "/t/b", 30) == "");
  CHECK(one.watched(5, 30) == "at 30: /t/a=30@30 /t/b=30@30");
}

TEST_CASE("a follower that loses its connection while it reads continues behind its watch") {
  Following one;
  one.begin();
  one.watched(1, 18);
  one.got(2, 19, "t", 5, 2);
  one.event(1, EventKind::changed, "/t", 25);
  CHECK(one.connection_lost() ==
        R"(ask {"id":4,"op":"watch","path":"/t","scope":"subtree","withData":true,)"
        R"("from":"0000010000000013"})");
  CHECK(one.fail(3, ErrorCode::connection_loss) == "");
  CHECK(one.event(4, EventKind::changed, "/t", 25) == "");
  CHECK(one.watched(4, 26) ==
        R"(ask {"id":5,"op":"children","path":"/t","withStat":true,"withData":true,"limit":500})");
  CHECK(one.listed(5, 26, {{"a", 10, 10, "a"}}) == "at 26: /t=25@25 /t/a=a@10");
}

TEST_CASE("a follower continues in the next session") {
  const std::string watch_again =
      R"(,"op":"watch","path":"/t","scope":"subtree","withData":true,"from":"0000010000000014"})";
  Following one = following_tree();
  one.event(1, EventKind::changed, "/t/a", 21);
  CHECK(one.fail(4, ErrorCode::session_expired) == "");
  CHECK(one.connection_lost() == "");
  CHECK_FALSE((*one).is_following());
  CHECK(one.session_lost() == R"(ask {"id":5)" + watch_again);
  CHECK(one.session_lost() == R"(ask {"id":6)" + watch_again);
  CHECK(one.event(6, EventKind::changed, "/t/a", 21) == "");
  CHECK(one.watched(6, 22) == "at 21: /t/a=21@21");
}

TEST_CASE("a request whose reply is lost is sent again") {
  Following one;
  one.begin();
  CHECK(one.fail(1, ErrorCode::connection_loss) ==
        R"(ask {"id":2,"op":"watch","path":"/t","scope":"subtree","withData":true})");
  CHECK(one.watched(2, 18) == R"(ask {"id":3,"op":"get","path":"/t"})");
  CHECK(one.fail(3, ErrorCode::operation_timeout) == R"(ask {"id":4,"op":"get","path":"/t"})");
  one.got(4, 19, "t", 5);
  one.event(2, EventKind::changed, "/t", 20);
  CHECK(one.fail(5, ErrorCode::session_moved) == exists_ask(6));
}

TEST_CASE("a follower pauses once while a server has no room") {
  Following one({.path = "/t", .reads_max = 2});
  one.begin();
  CHECK(one.fail(1, ErrorCode::not_ready) == "pause");
  CHECK(one.again() ==
        R"(ask {"id":2,"op":"watch","path":"/t","scope":"subtree","withData":true})");
  CHECK(one.again() == "");
  one.watched(2, 18);
  CHECK(one.fail(3, ErrorCode::overloaded, 18) == "pause");
  CHECK(one.again() == R"(ask {"id":4,"op":"get","path":"/t"})");
  one.got(4, 19, "t", 5, 2);
  one.listed(5, 20, {{"a", 10, 10, "a", 1}, {"b", 10, 10, "b", 1}});  // asks 6 and 7
  CHECK(one.fail(6, ErrorCode::throttled, 20) == "pause");
  CHECK(one.fail(7, ErrorCode::throttled, 20) == "");
  one.again();  // asks 8 and 9
  one.listed(8, 21, {});
  CHECK(one.listed(9, 21, {}) == "at 21: /t=t@5 /t/a=a@10 /t/b=b@10");
  one.event(2, EventKind::changed, "/t", 22);
  CHECK(one.fail(10, ErrorCode::overloaded, 22) == "pause");
  CHECK(one.again() == exists_ask(11));
}

}  // namespace zabkeeper
