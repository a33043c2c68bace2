#include "session/watches.h"

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/session/world.h"

namespace session {
namespace {

using wire::ErrorCode;
using wire::EventKind;
using wire::RequestId;
using wire::WatchScope;

wire::WatchRequest watch_request(std::string path, WatchScope scope) {
  wire::WatchRequest request;
  request.path = std::move(path);
  request.scope = scope;
  return request;
}

const wire::ReadOptions with_watch{.consistency = {}, .watch = true};

std::string said(const std::vector<wire::WatchEvent>& events) {
  std::string text;
  for (const wire::WatchEvent& event : events) {
    if (!text.empty()) text += ", ";
    text += std::string(name(event.kind)) + ' ' + event.path;
  }
  return text;
}

std::string said(const Applied& applied) {
  std::vector<wire::WatchEvent> events;
  for (const Delivery& delivery : applied.events) {
    CHECK(delivery.event.zxid == applied.zxid);
    events.push_back(delivery.event);
  }
  return said(events);
}

// What a watch on /w says of each change. The node /w has the child /w/c, which has the child
// /w/c/d; before the creation of /w there is none of them, and reads of it fail.
TEST_CASE("which changes a watch tells of") {
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
    Order order;
    std::vector<std::string> events;
  };
  // clang-format off
  const std::vector<Row> rows{
      //                                                       get      exists   children count              node     children subtree
      {"creation", create_request("/w"),                      {fails,   created, fails,   fails,             created, none,    created}},
      {"change of data", wire::SetRequest{"/w", "x"},         {changed, changed, none,    none,              changed, none,    changed}},
      {"a new child", create_request("/w/n"),                 {none,    none,    kids,    "created /w/n",    none,    kids,    "created /w/n"}},
      {"a child's data", wire::SetRequest{"/w/c", "x"},       {none,    none,    none,    none,              none,    none,    "changed /w/c"}},
      {"a grandchild goes", wire::DeleteRequest{"/w/c/d"},    {none,    none,    none,    "deleted /w/c/d",  none,    none,    "deleted /w/c/d"}},
      {"child and grandchild go", wire::DeleteRequest{"/w/c", -1, true},
                                                              {none,    none,    kids,    "deleted /w/c/d",  none,    kids,    "deleted /w/c/d, deleted /w/c"}},
      {"all go", wire::DeleteRequest{"/w", -1, true},         {deleted, deleted, deleted, "deleted /w/c/d",  deleted, deleted, "deleted /w/c/d, deleted /w/c, deleted /w"}},
      {"something beside", create_request("/ww"),             {none,    none,    none,    none,              none,    none,    none}},
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
      CHECK(said(world.run(session, row.order)) == row.events[column]);

      const bool persistent = std::holds_alternative<wire::WatchRequest>(columns[column]);
      const bool stays = persistent || row.events[column].empty();
      CHECK(world.service().watches().size(session) == (stays ? 1 : 0));
    }
  }
}

TEST_CASE("a get of what is not there sets no watch, an exists does") {
  World world;
  const wire::SessionId session = world.open(1);
  CHECK_FALSE(world.service().read({session}, {"1"}, wire::GetRequest{"/x", with_watch}));
  CHECK(world.service().watches().size() == 0);
  CHECK(world.service().read({session}, {"1"}, wire::ExistsRequest{"/x", with_watch}));
  CHECK(world.service().watches().size() == 1);
}

TEST_CASE("a watch says what is there when it is set") {
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

TEST_CASE("a persistent watch goes on, one for one event does not") {
  World world;
  const wire::SessionId session = world.open(1);
  wire::WatchRequest once = watch_request("/a", WatchScope::node);
  once.once = true;
  REQUIRE(world.service().read({session}, {"1"}, watch_request("/a", WatchScope::node)));
  REQUIRE(world.service().read({session}, {"2"}, once));

  CHECK(said(world.run(session, create_request("/a"))) == "created /a, created /a");
  CHECK(said(world.run(session, wire::SetRequest{"/a", "x"})) == "changed /a");
  CHECK(said(world.run(session, wire::DeleteRequest{"/a"})) == "deleted /a");
  CHECK(said(world.run(session, create_request("/a"))) == "created /a");
}

TEST_CASE("a watch tells of one transaction's change once, and of each of its changes") {
  World world;
  const wire::SessionId session = world.open(1);
  world.create(session, "/a");
  REQUIRE(world.service().read({session}, {"1"}, watch_request("/a", WatchScope::subtree)));
  REQUIRE(world.service().read({session}, {"2"}, watch_request("/a", WatchScope::children)));
  const wire::MultiRequest multi{{wire::SetRequest{"/a", "1"}, create_request("/a/x"),
                                  wire::SetRequest{"/a", "2"}, create_request("/a/y")}};
  CHECK(said(world.run(session, multi)) == "changed /a, created /a/x, children /a, created /a/y");
}

TEST_CASE("watches above the root's children see everything") {
  World world;
  const wire::SessionId session = world.open(1);
  REQUIRE(world.service().read({session}, {"1"}, watch_request("/", WatchScope::subtree)));
  world.create(session, "/a");
  CHECK(said(world.run(session, create_request("/a/b"))) == "created /a/b");
  CHECK(said(world.run(session, wire::SetRequest{"/", "x"})) == "changed /");
}

TEST_CASE("data and stat are those of the event's own transaction") {
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
  CHECK(first.events[0].event.data == "1");
  CHECK(first.events[0].event.stat->version == 1);
  CHECK_FALSE(first.events[1].event.data);
  CHECK_FALSE(first.events[1].event.stat);
  CHECK(second.events[0].event.data == "2");
  CHECK_FALSE(third.events[0].event.data);
  CHECK_FALSE(third.events[0].event.stat);

  // The same ones from the history, when all of it is long past.
  request.from = before;
  const auto answer = world.service().read({session}, {"3"}, request);
  REQUIRE(answer);
  REQUIRE(said(answer->events) == "changed /a, changed /a, deleted /a");
  for (std::size_t i = 0; i < 3; ++i) {
    wire::WatchEvent expected = std::vector{first, second, third}[i].events[0].event;
    expected.watch = {"3"};
    CHECK(answer->events[i] == expected);
  }
}

TEST_CASE("events are encoded as the watch's request wanted it, from the past too") {
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

TEST_CASE("a session that no transaction opened may read where it is local") {
  World world;
  const wire::SessionId session = world.open(1);
  world.create(session, "/a", "0");
  const wire::SessionId local = session::local_session(~std::uint64_t{0});
  CHECK(session::is_local(local));
  CHECK_FALSE(session::is_local(session));
  CHECK(world.service().read({local}, {"1"}, wire::GetRequest{"/a", with_watch}));
  CHECK(world.service().watches().size(local) == 1);
}

TEST_CASE("the event of a change in the children carries the parent's stat") {
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

TEST_CASE("from: what was missed, then what comes") {
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
    CHECK(said(answer->events) == row.events);
    const bool is_set = world.service().watches().size(session) == 1;
    CHECK(is_set == !(row.once && !row.events.empty()));
    if (is_set) REQUIRE(world.service().read({session}, {"2"}, wire::UnwatchRequest{{"1"}}));
  }
}

TEST_CASE("from a zxid that this server has yet to apply: nothing is told twice") {
  World world;
  const wire::SessionId session = world.open(1);  // 1:1
  wire::WatchRequest request = watch_request("/a", WatchScope::node);
  request.from = wire::Zxid{{1}, 2};
  REQUIRE(world.service().read({session}, {"1"}, request)->events.empty());
  CHECK(said(world.run(session, create_request("/a"))) == "");                  // 1:2
  CHECK(said(world.run(session, wire::SetRequest{"/a", ""})) == "changed /a");  // 1:3
}

TEST_CASE("where the history does not reach back, one resync says so") {
  World world({.per_session_max = 10, .history = {.changes_max = 4, .bytes_max = 1 << 20}});
  const wire::SessionId session = world.open(1);  // 1:1
  for (const char* path : {"/1", "/2", "/3"})
    world.create(session, path);  // 1:2 to 1:4, two changes each
  CHECK(world.service().watches().history().start() == wire::Zxid{{1}, 2});

  wire::WatchRequest request = watch_request("/", WatchScope::subtree);
  request.from = wire::Zxid{{1}, 1};
  const auto answer = world.service().read({session}, {"1"}, request);
  CHECK(answer->events ==
        std::vector<wire::WatchEvent>{{{"1"}, EventKind::resync, "/", {{1}, 4}, {}, {}}});
  CHECK(said(world.run(session, create_request("/4"))) == "created /4");  // it is set all the same

  request.from = world.service().watches().history().start();
  CHECK(said(world.service().read({session}, {"2"}, request)->events) == "created /3, created /4");

  request.from = wire::Zxid{};
  request.once = true;
  CHECK(said(world.service().read({session}, {"3"}, request)->events) == "resync /");
  CHECK(world.service().watches().size(session) == 2);
}

TEST_CASE("the history is bounded in bytes as well") {
  ChangeHistory history({.changes_max = 1000, .bytes_max = 10'000});
  for (std::uint64_t i = 1; i <= 100; ++i) {
    history.add({{1}, i}, {{EventKind::changed, "/a", wire::Bytes(1000, 'x'), wire::Stat{}}});
    CHECK(history.bytes() <= 10'000);
  }
  CHECK(history.end() == wire::Zxid{{1}, 100});
  CHECK(history.start() > wire::Zxid{{1}, 90});
  CHECK(history.change_count() > 5);
  // One that is too big for any history leaves an empty one behind it.
  history.add({{1}, 101}, {{EventKind::changed, "/a", wire::Bytes(20'000, 'x'), {}}});
  CHECK(history.start() == history.end());
  CHECK(history.bytes() == 0);
  CHECK(history.change_count() == 0);
}

TEST_CASE("ids of watches") {
  World world;
  const wire::SessionId session = world.open(1);
  const wire::SessionId other = world.open(2);
  const wire::Request request = watch_request("/a", WatchScope::node);
  const auto code = [&](wire::SessionId who, const char* id, const wire::Request& what) {
    const auto answer = world.service().read({who}, {id}, what);
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
  CHECK(said(world.run(session, create_request("/a"))) == "created /a");
  world.service().watches().remove_session(other);
  CHECK(world.service().watches().size() == 0);
}

TEST_CASE("a session has so many watches and no more") {
  World world({.per_session_max = 2, .history = {}});
  const wire::SessionId session = world.open(1);
  const wire::Request request = watch_request("/a", WatchScope::node);
  REQUIRE(world.service().read({session}, {"1"}, request));
  REQUIRE(world.service().read({session}, {"2"}, wire::GetRequest{"/", with_watch}));
  CHECK(world.service().read({session}, {"3"}, request).error().code ==
        ErrorCode::too_many_watches);
  REQUIRE(world.service().read({session}, {"4"}, wire::UnwatchRequest{{"1"}}));
  CHECK(world.service().read({session}, {"3"}, request));
}

TEST_CASE("ids and paths of watches are bounded as well") {
  World world({.per_session_max = 2, .history = {}});
  const wire::SessionId session = world.open(1);
  const auto set = [&](const std::string& id, const std::string& path) {
    return world.service().read({session}, {id}, watch_request(path, WatchScope::node));
  };
  REQUIRE(set(std::string(256, '1'), "/" + std::string(1000, 'x')));
  CHECK(set("2", "/" + std::string(790, 'x')).error().code == ErrorCode::too_many_watches);
  CHECK(set("2", "/" + std::string(789, 'x')));
  CHECK(world.service().watches().size(session) == 2);
}

// Many more than any table has buckets for at first.
TEST_CASE("thousands of watches on a hundred paths: each is found, in the order of setting") {
  Watches watches({});
  constexpr std::uint64_t sessions = 7;
  constexpr std::uint64_t count = 7000;
  const auto path_of = [](std::uint64_t i) { return "/" + std::to_string(i % 100); };
  const auto id_of = [](std::uint64_t i) { return RequestId{std::to_string(i)}; };
  std::uint64_t zxid = 0;
  const auto expect = [&](auto&& is_set) {
    for (std::uint64_t number = 0; number < 100; ++number) {
      std::vector<std::string> expected;
      for (std::uint64_t i = number; i < count; i += 100) {
        if (is_set(i)) expected.push_back(id_of(i).json);
      }
      std::vector<std::string> told;
      for (const Delivery& each :
           watches.fire({{1}, ++zxid}, {{EventKind::changed, path_of(number), {}, {}, {}}})) {
        CHECK(each.session.value == 1 + std::stoull(each.event.watch.json) % sessions);
        told.push_back(each.event.watch.json);
      }
      CHECK(told == expected);
    }
  };

  for (std::uint64_t i = 0; i < count; ++i) {
    Watch watch;
    watch.path = path_of(i);
    watch.interest = {.changed = true};
    if (i % 3 == 0) watch.reach = Watch::Reach::subtree;
    REQUIRE(watches.add({1 + i % sessions}, id_of(i), watch));
  }
  expect([](std::uint64_t) { return true; });
  for (std::uint64_t i = 0; i < count; i += 2) {
    REQUIRE(watches.remove({1 + i % sessions}, id_of(i)));
  }
  expect([](std::uint64_t i) { return i % 2 == 1; });
  watches.remove_session({1});
  expect([](std::uint64_t i) { return i % 2 == 1 && i % sessions != 0; });
  CHECK(watches.size() == 3000);
  watches.begin_after({{2}, 0});
  CHECK(watches.size() == 0);
}

// S28; CVE-2024-23944: a watch told of paths that its client could not read.
TEST_CASE("a watch tells of what its client may read when it happens") {
  const auto alice = znode::Identities::of({{"digest", "alice:hash"}});
  World world;
  const wire::SessionId one = world.open(1);
  const wire::SessionId other = world.open(2);
  const wire::WatchRequest subtree = watch_request("/", WatchScope::subtree);
  REQUIRE(world.service().read({one, alice}, RequestId{"1"}, subtree));
  REQUIRE(world.service().read({other}, RequestId{"2"}, subtree));
  const auto told = [](const Applied& applied, wire::SessionId session) {
    std::vector<wire::WatchEvent> events;
    for (const Delivery& delivery : applied.events) {
      if (delivery.session == session) events.push_back(delivery.event);
    }
    return said(events);
  };

  wire::CreateRequest secret = create_request("/secret");
  secret.acl = wire::Acl{{"digest", "alice:hash", 31}};
  Applied applied = world.run(one, secret);
  CHECK(told(applied, one) == "created /secret");
  CHECK(told(applied, other).empty());

  const auto run_as_alice = [&](Order order) {
    REQUIRE(world.plan({one, world.owner(one), 1, std::move(order), alice}));
    return world.settle();
  };
  applied = run_as_alice(create_request("/secret/open"));
  CHECK(told(applied, one) == "created /secret/open");
  CHECK(told(applied, other) == "created /secret/open");

  run_as_alice(wire::SetAclRequest{"/secret/open", {{"digest", "alice:hash", 31}}});
  applied = run_as_alice(wire::SetRequest{"/secret/open", "x"});
  CHECK(told(applied, one) == "changed /secret/open");
  CHECK(told(applied, other).empty());
  applied = run_as_alice(wire::DeleteRequest{"/secret", -1, true});
  CHECK(told(applied, one) == "deleted /secret/open, deleted /secret");
  CHECK(told(applied, other).empty());

  // The past is told of in the same way.
  wire::WatchRequest from_the_start = subtree;
  from_the_start.from = wire::Zxid{};
  CHECK(said(world.service().read({other}, RequestId{"3"}, from_the_start)->events) ==
        "created /secret/open");
  // Who shows who it is later is told of what comes then.
  world.service().watches().identify(other, alice);
  applied = run_as_alice(secret);
  CHECK(told(applied, other) == "created /secret, created /secret");
}

TEST_CASE("a watch for one event waits for one that its client may read") {
  const auto alice = znode::Identities::of({{"digest", "alice:hash"}});
  World world;
  const wire::SessionId session = world.open(1);
  REQUIRE(world.service().read({session}, RequestId{"1"}, wire::ExistsRequest{"/x", with_watch}));
  wire::CreateRequest secret = create_request("/x");
  secret.acl = wire::Acl{{"digest", "alice:hash", 31}};
  CHECK(world.run(session, secret).events.empty());
  REQUIRE(world.plan(
      {session, world.owner(session), 1, wire::SetAclRequest{"/x", wire::open_acl()}, alice}));
  world.settle();
  CHECK(said(world.run(session, wire::SetRequest{"/x", "1"})) == "changed /x");
  CHECK(world.service().watches().size() == 0);

  REQUIRE(world.plan({session, world.owner(session), 1,
                      wire::SetAclRequest{"/x", {{"digest", "alice:hash", 31}}}, alice}));
  world.settle();
  CHECK(world.service()
            .read({session}, RequestId{"1"}, watch_request("/x", WatchScope::node))
            .error()
            .code == ErrorCode::no_auth);
  CHECK(world.service().watches().size() == 0);
}

}  // namespace
}  // namespace session
