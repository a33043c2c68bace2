#include "session/watches.h"

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/session/watching.h"
#include "tests/session/world.h"

namespace session {
namespace {

using wire::ErrorCode;
using wire::EventKind;
using wire::RequestId;
using wire::WatchScope;

// The events of watches on /w for each change. The node /w has the child /w/c, which has the child
// /w/c/d. Before the creation of /w none of them exists, and reads of /w fail.
TEST_CASE("each kind of watch reports only the changes of its kind") {
  wire::ChildrenRequest children;
  children.path = "/w";
  children.read = with_watch;
  const std::vector<wire::Request> columns{wire::GetRequest{"/w", with_watch},
                                           wire::ExistsRequest{"/w", with_watch},
                                           children,
                                           wire::CountRequest{"/w", with_watch},
                                           watch_request("/w", WatchScope::node),
                                           watch_request("/w", WatchScope::children),
                                           watch_request("/w", WatchScope::subtree)};
  const std::string none;
  const std::string created = "created /w";
  const std::string changed = "changed /w";
  const std::string deleted = "deleted /w";
  const std::string kids = "children /w";
  const std::string fails = "fails";
  struct Row {
    const char* change;
    CommandBody body;
    std::vector<std::string> events;
  };
  // clang-format off
  const std::vector<Row> rows{
      //                                                                 get      exists   children count              node     children subtree
      {"creation", create_request("/w"),                                {fails,   created, fails,   fails,             created, none,    created}},
      {"change of data", wire::SetRequest{"/w", "x"},                   {changed, changed, none,    none,              changed, none,    changed}},
      {"a new child", create_request("/w/n"),                           {none,    none,    kids,    "created /w/n",    none,    kids,    "created /w/n"}},
      {"a child's data", wire::SetRequest{"/w/c", "x"},                 {none,    none,    none,    none,              none,    none,    "changed /w/c"}},
      {"a grandchild is deleted", wire::DeleteRequest{"/w/c/d"},        {none,    none,    none,    "deleted /w/c/d",  none,    none,    "deleted /w/c/d"}},
      {"child and grandchild deleted", wire::DeleteRequest{"/w/c", -1, true},
                                                                        {none,    none,    kids,    "deleted /w/c/d",  none,    kids,    "deleted /w/c/d, deleted /w/c"}},
      {"/w with all below", wire::DeleteRequest{"/w", -1, true},        {deleted, deleted, deleted, "deleted /w/c/d",  deleted, deleted, "deleted /w/c/d, deleted /w/c, deleted /w"}},
      {"a node beside /w", create_request("/ww"),                       {none,    none,    none,    none,              none,    none,    none}},
  };
  // clang-format on

  for (const Row& row : rows) {
    CAPTURE(row.change);
    for (std::size_t column = 0; column < columns.size(); ++column) {
      CAPTURE(column);
      World world;
      const wire::SessionId session = world.open(1);
      if (&row != &rows.front()) {
        for (const char* path : {"/w", "/w/c", "/w/c/d"}) world.create(session, path);
      }
      const auto answer = world.service().read({session}, {"5"}, columns[column]);
      REQUIRE(answer.has_value() == (row.events[column] != fails));
      if (!answer) continue;
      CHECK(events_text(world.run(session, row.body)) == row.events[column]);

      const bool persistent = std::holds_alternative<wire::WatchRequest>(columns[column]);
      const bool stays = persistent || row.events[column].empty();
      CHECK(world.service().watches().size(session) == (stays ? 1 : 0));
    }
  }
}

TEST_CASE("get on a missing node sets no watch, exists does") {
  World world;
  const wire::SessionId session = world.open(1);
  CHECK_FALSE(world.service().read({session}, {"1"}, wire::GetRequest{"/x", with_watch}));
  CHECK(world.service().watches().size() == 0);
  CHECK(world.service().read({session}, {"1"}, wire::ExistsRequest{"/x", with_watch}));
  CHECK(world.service().watches().size() == 1);
}

TEST_CASE("the reply to a watch request has the node's present stat") {
  World world;
  const wire::SessionId session = world.open(1);
  world.create(session, "/a");
  const auto there = world.service().read({session}, {"1"}, watch_request("/a", WatchScope::node));
  CHECK(there->reply ==
        wire::ReplyBody(wire::WatchReply{{"1"}, world.service().tree().at("/a").stat()}));
  const auto missing =
      world.service().read({session}, {"2"}, watch_request("/b", WatchScope::node));
  CHECK(missing->reply == wire::ReplyBody(wire::WatchReply{{"2"}, std::nullopt}));
  CHECK(world.service().read({session}, {"3"}, watch_request("b", WatchScope::node)).error().code ==
        ErrorCode::bad_arguments);
}

TEST_CASE("a persistent watch stays set, a watch for one event does not") {
  World world;
  const wire::SessionId session = world.open(1);
  wire::WatchRequest once = watch_request("/a", WatchScope::node);
  once.once = true;
  REQUIRE(world.service().read({session}, {"1"}, watch_request("/a", WatchScope::node)));
  REQUIRE(world.service().read({session}, {"2"}, once));

  CHECK(events_text(world.run(session, create_request("/a"))) == "created /a, created /a");
  CHECK(events_text(world.run(session, wire::SetRequest{"/a", "x"})) == "changed /a");
  CHECK(events_text(world.run(session, wire::DeleteRequest{"/a"})) == "deleted /a");
  CHECK(events_text(world.run(session, create_request("/a"))) == "created /a");
}

TEST_CASE("a watch reports each change of a transaction once") {
  World world;
  const wire::SessionId session = world.open(1);
  world.create(session, "/a");
  REQUIRE(world.service().read({session}, {"1"}, watch_request("/a", WatchScope::subtree)));
  REQUIRE(world.service().read({session}, {"2"}, watch_request("/a", WatchScope::children)));
  const wire::MultiRequest multi{{wire::SetRequest{"/a", "1"}, create_request("/a/x"),
                                  wire::SetRequest{"/a", "2"}, create_request("/a/y")}};
  CHECK(events_text(world.run(session, multi)) ==
        "changed /a, created /a/x, children /a, created /a/y");
}

TEST_CASE("a subtree watch on the root reports every change") {
  World world;
  const wire::SessionId session = world.open(1);
  REQUIRE(world.service().read({session}, {"1"}, watch_request("/", WatchScope::subtree)));
  world.create(session, "/a");
  CHECK(events_text(world.run(session, create_request("/a/b"))) == "created /a/b");
  CHECK(events_text(world.run(session, wire::SetRequest{"/", "x"})) == "changed /");
}

TEST_CASE("an event has data and stat as of its own transaction") {
  World world;
  const wire::SessionId session = world.open(1);
  world.create(session, "/a", "0");
  const wire::Zxid before = world.service().applied();
  wire::WatchRequest request = watch_request("/a", WatchScope::subtree);
  request.with_data = true;
  REQUIRE(world.service().read({session}, {"1"}, request));
  REQUIRE(world.service().read({session}, {"2"}, watch_request("/a", WatchScope::node)));

  const Applied first = world.run(session, wire::SetRequest{"/a", "1"});
  const Applied second = world.run(session, wire::SetRequest{"/a", "2"});
  const Applied third = world.run(session, wire::DeleteRequest{"/a"});
  CHECK(first.events[0].event.data == wire::SharedBytes("1"));
  CHECK(first.events[0].event.stat->version == 1);
  CHECK_FALSE(first.events[1].event.data);
  CHECK_FALSE(first.events[1].event.stat);
  CHECK(second.events[0].event.data == wire::SharedBytes("2"));
  CHECK_FALSE(third.events[0].event.data);
  CHECK_FALSE(third.events[0].event.stat);

  // A later watch with `from` gets the same events from the history.
  request.from = before;
  const auto answer = world.service().read({session}, {"3"}, request);
  REQUIRE(answer);
  REQUIRE(events_text(answer->events) == "changed /a, changed /a, deleted /a");
  for (std::size_t i = 0; i < 3; ++i) {
    wire::WatchEvent expected = std::vector{first, second, third}[i].events[0].event;
    expected.watch = {"3"};
    CHECK(answer->events[i] == expected);
  }
}

TEST_CASE("events have the encoding of the watch's request, also with from") {
  World world;
  const wire::SessionId session = world.open(1);
  const wire::Zxid before = world.service().applied();
  wire::WatchRequest request = watch_request("/a", WatchScope::node);
  request.with_data = true;
  REQUIRE(world.service().read({session}, {"1"}, request, wire::Encoding::base64));
  REQUIRE(world.service().read({session}, {"2"}, request));
  wire::CreateRequest create;
  create.path = "/a";
  const Applied created = world.run(session, create);
  REQUIRE(created.events.size() == 2);
  CHECK(created.events[0].event.encoding == wire::Encoding::base64);
  CHECK(created.events[1].event.encoding == wire::Encoding::text_if_utf8);

  request.from = before;
  const auto answer = world.service().read({session}, {"3"}, request, wire::Encoding::base64);
  REQUIRE(answer);
  CHECK(answer->events[0].encoding == wire::Encoding::base64);
}

TEST_CASE("a session without a transaction may read only if it is local") {
  World world;
  const wire::SessionId session = world.open(1);
  world.create(session, "/a", "0");
  const wire::SessionId local = session::local_session(~std::uint64_t{0});
  CHECK(session::is_local(local));
  CHECK_FALSE(session::is_local(session));
  CHECK(world.service().read({local}, {"1"}, wire::GetRequest{"/a", with_watch}));
  CHECK(world.service().watches().size(local) == 1);
}

TEST_CASE("a children event has the parent's stat") {
  World world;
  const wire::SessionId session = world.open(1);
  world.create(session, "/a", "data");
  wire::WatchRequest request = watch_request("/a", WatchScope::children);
  request.with_data = true;
  REQUIRE(world.service().read({session}, {"1"}, request));
  const Applied applied = world.run(session, create_request("/a/b"));
  CHECK(applied.events[0].event.stat->num_children == 1);
  CHECK_FALSE(applied.events[0].event.data);
}

TEST_CASE("a watch with from gets the missed changes first, then new ones") {
  World world;
  const wire::SessionId session = world.open(1);  // 1:1
  world.create(session, "/a");                    // 1:2
  world.create(session, "/a/b");                  // 1:3
  world.create(session, "/c");                    // 1:4

  struct Row {
    wire::Zxid from;
    WatchScope scope;
    bool once;
    std::string events;
  };
  for (const Row& row : {
           Row{{{1}, 0}, WatchScope::subtree, false, "created /a, created /a/b"},
           Row{{{1}, 2}, WatchScope::subtree, false, "created /a/b"},
           Row{{{1}, 1}, WatchScope::subtree, true, "created /a"},
           Row{{{1}, 1}, WatchScope::node, false, "created /a"},
           Row{{{1}, 1}, WatchScope::children, false, "children /a"},
           Row{{{1}, 3}, WatchScope::subtree, true, ""},
           Row{{{1}, 4}, WatchScope::subtree, false, ""},
       }) {
    CAPTURE(to_string(row.from));
    wire::WatchRequest request = watch_request("/a", row.scope);
    request.from = row.from;
    request.once = row.once;
    const auto answer = world.service().read({session}, {"1"}, request);
    REQUIRE(answer);
    CHECK(events_text(answer->events) == row.events);
    const bool is_set = world.service().watches().size(session) == 1;
    CHECK(is_set == !(row.once && !row.events.empty()));
    if (is_set) REQUIRE(world.service().read({session}, {"2"}, wire::UnwatchRequest{{"1"}}));
  }
}

TEST_CASE("a watch from a zxid that is not applied yet gets no event twice") {
  World world;
  const wire::SessionId session = world.open(1);  // 1:1
  wire::WatchRequest request = watch_request("/a", WatchScope::node);
  request.from = wire::Zxid{{1}, 2};
  REQUIRE(world.service().read({session}, {"1"}, request)->events.empty());
  CHECK(events_text(world.run(session, create_request("/a"))) == "");                  // 1:2
  CHECK(events_text(world.run(session, wire::SetRequest{"/a", ""})) == "changed /a");  // 1:3
}

TEST_CASE("a watch from before the change history gets one resync") {
  World world({.watches = {.per_session_max = 10,
                           .history = {.changes_max = 4, .bytes_max = 1 << 20},
                           .hash_key = {}}});
  const wire::SessionId session = world.open(1);  // 1:1
  for (const char* path : {"/1", "/2", "/3"})
    world.create(session, path);  // 1:2 to 1:4, two changes each
  CHECK(world.service().watches().history().start() == wire::Zxid{{1}, 2});

  wire::WatchRequest request = watch_request("/", WatchScope::subtree);
  request.from = wire::Zxid{{1}, 1};
  const auto answer = world.service().read({session}, {"1"}, request);
  CHECK(answer->events ==
        std::vector<wire::WatchEvent>{{{"1"}, EventKind::resync, "/", {{1}, 4}, {}, {}}});
  CHECK(events_text(world.run(session, create_request("/4"))) == "created /4");  // the watch is set

  request.from = world.service().watches().history().start();
  CHECK(events_text(world.service().read({session}, {"2"}, request)->events) ==
        "created /3, created /4");

  request.from = wire::Zxid{};
  request.once = true;
  CHECK(events_text(world.service().read({session}, {"3"}, request)->events) == "resync /");
  CHECK(world.service().watches().size(session) == 2);
}

TEST_CASE("the change history is bounded in bytes too") {
  ChangeHistory history({.changes_max = 1000, .bytes_max = 10'000});
  for (std::uint64_t i = 1; i <= 100; ++i) {
    history.add({{1}, i}, {{EventKind::changed, "/a", wire::Bytes(1000, 'x'), wire::Stat{}}});
    CHECK(history.bytes() <= 10'000);
  }
  CHECK(history.end() == wire::Zxid{{1}, 100});
  CHECK(history.start() > wire::Zxid{{1}, 90});
  CHECK(history.change_count() > 5);
  // A transaction that is larger than the bound leaves an empty history.
  history.add({{1}, 101}, {{EventKind::changed, "/a", wire::Bytes(20'000, 'x'), {}}});
  CHECK(history.start() == history.end());
  CHECK(history.bytes() == 0);
  CHECK(history.change_count() == 0);
}

TEST_CASE("watch ids are unique within their session") {
  World world;
  const wire::SessionId session = world.open(1);
  const wire::SessionId other = world.open(2);
  const wire::Request request = watch_request("/a", WatchScope::node);
  const auto code = [&](wire::SessionId who, const char* id, const wire::Request& each) {
    const auto answer = world.service().read({who}, {id}, each);
    return answer ? ErrorCode{} : answer.error().code;
  };
  CHECK(code(session, "", request) == ErrorCode::bad_arguments);
  CHECK(code(session, "", wire::GetRequest{"/", with_watch}) == ErrorCode::bad_arguments);
  CHECK(code(session, "1", request) == ErrorCode{});
  CHECK(code(session, "1", request) == ErrorCode::bad_arguments);
  CHECK(code(session, "1", wire::GetRequest{"/", with_watch}) == ErrorCode::bad_arguments);
  CHECK(code(session, "1", wire::GetRequest{"/", {}}) == ErrorCode{});
  CHECK(code(session, "\"1\"", request) == ErrorCode{});
  CHECK(code(other, "1", request) == ErrorCode{});

  CHECK(code(session, "9", wire::UnwatchRequest{{"2"}}) == ErrorCode::no_watcher);
  CHECK(code(session, "9", wire::UnwatchRequest{{"1"}}) == ErrorCode{});
  CHECK(code(session, "9", wire::UnwatchRequest{{"1"}}) == ErrorCode::no_watcher);
  CHECK(code(session, "1", request) == ErrorCode{});
  CHECK(world.service().watches().size() == 3);

  world.service().watches().remove_session(session);
  CHECK(world.service().watches().size() == 1);
  CHECK(events_text(world.run(session, create_request("/a"))) == "created /a");
  world.service().watches().remove_session(other);
  CHECK(world.service().watches().size() == 0);
}

TEST_CASE("the number of watches of a session is limited") {
  World world({.watches = {.per_session_max = 2, .history = {}, .hash_key = {}}});
  const wire::SessionId session = world.open(1);
  const wire::Request request = watch_request("/a", WatchScope::node);
  REQUIRE(world.service().read({session}, {"1"}, request));
  REQUIRE(world.service().read({session}, {"2"}, wire::GetRequest{"/", with_watch}));
  CHECK(world.service().read({session}, {"3"}, request).error().code ==
        ErrorCode::too_many_watches);
  REQUIRE(world.service().read({session}, {"4"}, wire::UnwatchRequest{{"1"}}));
  CHECK(world.service().read({session}, {"3"}, request));
}

// Remembers what the watches of the one session take.
struct Budget : WatchBudget {
  wire::Result<void> check(wire::SessionId, std::size_t wanted) override {
    if (wanted <= most) return {};
    return wire::Error{ErrorCode::too_many_watches, "the budget is used up"};
  }
  void set(wire::SessionId, std::size_t now) override { bytes = now; }
  wire::Result<void> check_indexes(std::size_t) override { return {}; }
  void count_refused_index() override {}
  void set_indexes(std::size_t) override {}

  std::size_t most = 1000;
  std::size_t bytes = 0;
};

TEST_CASE(
    "a watch is charged to a budget before it is set, and its bytes are given back when it ends") {
  Budget budget;
  World world({.watches = {.history = {}, .hash_key = {}, .budget = &budget}});
  const wire::SessionId session = world.open(1);
  const std::size_t one = WatchTable::memory(1, 3);
  const auto set = [&](const std::string& id, bool once) {
    wire::WatchRequest request = watch_request("/a", WatchScope::node);
    request.once = once;
    return world.service().read({session}, {id}, request).has_value();
  };
  CHECK(set("1", false));
  CHECK(budget.bytes == one);
  CHECK(set("2", true));
  CHECK(budget.bytes == 2 * one);
  budget.most = 3 * one - 1;
  CHECK_FALSE(set("3", false));
  CHECK(world.service().watches().size() == 2);
  world.create(session, "/a");  // the one-shot watch fires
  CHECK(budget.bytes == one);
  CHECK(set("3", false));
  REQUIRE(world.service().read({session}, {"4"}, wire::UnwatchRequest{{"1"}}));
  CHECK(budget.bytes == one);
  world.run(session, CloseSession{});
  CHECK(budget.bytes == 0);
}

TEST_CASE("the bytes of watch ids and paths are bounded too") {
  World world({.watches = {.per_session_max = 2, .history = {}, .hash_key = {}}});
  const wire::SessionId session = world.open(1);
  const auto set = [&](const std::string& id, const std::string& path) {
    return world.service().read({session}, {id}, watch_request(path, WatchScope::node));
  };
  REQUIRE(set(std::string(256, '1'), "/" + std::string(1000, 'x')));
  CHECK(set("2", "/" + std::string(790, 'x')).error().code == ErrorCode::too_many_watches);
  CHECK(set("2", "/" + std::string(789, 'x')));
  CHECK(world.service().watches().size(session) == 2);
}

}  // namespace
}  // namespace session
