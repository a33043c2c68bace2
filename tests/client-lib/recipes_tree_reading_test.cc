#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/client-lib/recipes_following.h"

namespace zabkeeper {

TEST_CASE("after a gap a follower compares the zxids, and reads only the data that differ") {
  Following one;
  one.begin();
  one.watched(1, 18);
  one.got(2, 19, "t", 5, 8);
  std::vector<ChildRow> rows;
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
    rows.push_back({name, 10, 10, name});
  }
  one.listed(3, 20, rows);
  CHECK(one.event(1, EventKind::resync, "/t", 30) ==
        "gap\n"
        R"(ask {"id":4,"op":"get","path":"/t"})");
  CHECK(one.event(1, EventKind::resync, "/t", 31) == R"(ask {"id":5,"op":"get","path":"/t"})");
  CHECK(one.got(4, 31, "old", 5, 8) == "");
  CHECK(one.got(5, 31, "t", 5, 8) ==
        R"(ask {"id":6,"op":"children","path":"/t","withStat":true,"limit":500})");
  // Of eight children one was set, and one was deleted and created.
  for (ChildRow& row : rows) row.data.reset();
  rows[1] = {"b", 10, 25};
  rows[2] = {"c", 26, 26};
  CHECK(one.content() ==
        "/t=t@5 /t/a=a@10 /t/b=b@10 /t/c=c@10 /t/d=d@10 /t/e=e@10 /t/f=f@10 "
        "/t/g=g@10 /t/h=h@10");
  CHECK(one.listed(6, 32, rows) == R"(ask {"id":7,"op":"get","path":"/t/c"})"
                                   "\n"
                                   R"(ask {"id":8,"op":"get","path":"/t/b"})");
  CHECK(one.fail(7, ErrorCode::no_node, 33) == "");
  CHECK(one.got(8, 34, "b2", 25) == "at 34: /t/b=b2@25 /t/c gone");
  CHECK((*one).is_following());
}

TEST_CASE("after a gap a page of which much differs is read again with data") {
  Following one = following_tree();
  one.event(1, EventKind::resync, "/t", 30);
  one.got(4, 30, "t", 5, 2);
  CHECK(one.listed(5, 31, {{"a", 10, 29}, {"c", 28, 28, {}, 1}}) ==
        R"(ask {"id":6,"op":"children","path":"/t","withStat":true,"withData":true,"limit":500})");
  // The folder is new, so its children are asked for with data at once.
  CHECK(
      one.listed(6, 32, {{"a", 10, 29, "A"}, {"c", 28, 28, "c", 1}}) ==
      R"(ask {"id":7,"op":"children","path":"/t/c","withStat":true,"withData":true,"limit":500})");
  CHECK(one.listed(7, 32, {{"x", 28, 28, "x"}}) ==
        "at 32: /t/a=A@29 /t/b gone /t/c=c@28 /t/c/x=x@28");
}

TEST_CASE("after a gap without changes a follower tells no change") {
  Following one = following_tree();
  one.event(1, EventKind::resync, "/t", 30);
  one.got(4, 30, "t", 5, 2);
  CHECK(one.listed(5, 31, {{"a", 10, 10}, {"b", 11, 12}}) == "at 31:");
}

TEST_CASE("after a gap everything below a node without children is gone") {
  Following one = following_tree();
  one.event(1, EventKind::resync, "/t", 30);
  CHECK(one.got(4, 30, "t", 5, 0) == "at 30: /t/a gone /t/b gone");
  one.event(1, EventKind::resync, "/t", 40);
  CHECK(one.fail(5, ErrorCode::no_node, 40) == "at 40: /t gone");
}

TEST_CASE("a follower leaves out what it may not read, and fails if that is its own node") {
  Following one;
  one.begin();
  one.watched(1, 18);
  one.got(2, 19, "t", 5, 2);
  CHECK(
      one.listed(3, 20, {{"a"}, {"b", 10, 10, "b", 1}}) ==
      "unreadable /t/a\n"
      R"(ask {"id":4,"op":"children","path":"/t/b","withStat":true,"withData":true,"limit":500})");
  CHECK(one.fail(4, ErrorCode::no_auth, 21) == "unreadable /t/b\nat 21: /t=t@5");
  one.event(1, EventKind::resync, "/t", 30);
  CHECK(one.fail(5, ErrorCode::no_auth, 30) == "failed NoAuth");
  CHECK(one.content() == "/t=t@5");
  CHECK(one.connection_lost() == "");
  CHECK(one.session_lost() == "");
  CHECK(one.event(1, EventKind::changed, "/t", 31) == "");

  Following other;
  other.begin();
  CHECK(other.fail(1, ErrorCode::no_auth, 18) == "failed NoAuth");
}

TEST_CASE("a follower fails when the tree has more nodes or bytes than it may hold") {
  Following many = following_tree({.path = "/t", .nodes_max = 3});
  many.event(1, EventKind::created, "/t/c", 21);
  CHECK(many.confirmed(4, 21) == "at 21: /t/c=21@21\nfailed TooLarge");

  // 13 bytes are there; each event waits with 6 bytes.
  Following large = following_tree({.path = "/t", .bytes_max = 27});
  CHECK(large.event(1, EventKind::changed, "/t/a", 21) == exists_ask(4));
  CHECK(large.event(1, EventKind::changed, "/t/a", 21) == "");
  CHECK(large.event(1, EventKind::changed, "/t/a", 21) == "failed TooLarge");

  Following reading({.path = "/t", .nodes_max = 1});
  reading.begin();
  reading.watched(1, 18);
  reading.got(2, 19, "t", 5, 2);
  CHECK(reading.listed(3, 20, {{"a", 10, 10, "a"}}, true) ==
        R"(ask {"id":4,"op":"children","path":"/t","withStat":true,"withData":true,)"
        R"("after":"a","limit":500})"
        "\nfailed TooLarge");
}

TEST_CASE("a follower fails when no child fits into a page") {
  Following one;
  one.begin();
  one.watched(1, 18);
  one.got(2, 19, "t", 5, 2);
  CHECK(one.listed(3, 20, {}, true) == "failed TooLarge");
}

TEST_CASE("a read of an older state than the tree is sent again") {
  Following one;
  one.begin();
  one.watched(1, 18);
  CHECK(one.got(2, 17, "t", 5) == R"(ask {"id":3,"op":"get","path":"/t"})");
}

}  // namespace zabkeeper
