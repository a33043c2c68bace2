#include "tests/sim/service/locker.h"

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace {

constexpr wire::SessionId me{7};

// A locker, and what it is answered by whoever reads the test.
class Talk {
 public:
  sim::Locker locker;

  // What it asks next, in words.
  std::string asks() {
    const auto request = locker.next();
    if (!request) return "nothing";
    locker.asked(id());
    if (const auto* create = std::get_if<wire::CreateRequest>(&*request)) {
      return "create " + create->path;
    }
    if (const auto* children = std::get_if<wire::ChildrenRequest>(&*request)) {
      return "children " + children->path;
    }
    if (const auto* exists = std::get_if<wire::ExistsRequest>(&*request)) {
      return "watch " + exists->path;
    }
    return "delete " + std::get<wire::DeleteRequest>(*request).path;
  }
  void hears(wire::Result<wire::ReplyBody> body) {
    locker.hear(wire::Reply{id(), {}, {}, std::move(body)}, me);
    last_ += 1;
  }
  void hears_event() { fire({std::to_string(last_ - 1)}); }
  void hears_event_early() { fire(id()); }

 private:
  void fire(wire::RequestId watch) {
    wire::WatchEvent event;
    event.watch = std::move(watch);
    locker.hear(event);
  }
  [[nodiscard]] wire::RequestId id() const { return {std::to_string(last_)}; }
  int last_ = 1;
};

wire::Result<wire::ReplyBody> children(
    const std::vector<std::pair<std::string, wire::SessionId>>& names) {
  wire::ChildrenReply reply;
  for (const auto& [name, session] : names) {
    wire::Stat stat;
    stat.ephemeral_owner = session;
    stat.czxid = {{1}, static_cast<std::uint32_t>(reply.children.size() + 1)};
    reply.children.push_back({name, stat, {}});
  }
  return wire::ReplyBody(reply);
}
wire::Result<wire::ReplyBody> there() { return wire::ReplyBody(wire::ExistsReply{wire::Stat{}}); }
wire::Result<wire::ReplyBody> gone() { return wire::ReplyBody(wire::ExistsReply{}); }
wire::Result<wire::ReplyBody> done() { return wire::ReplyBody(wire::EmptyReply{}); }

Talk with_a_node_behind_another() {
  Talk talk;
  talk.locker.want();
  CHECK(talk.asks() == "create /lock/n-");
  talk.hears(wire::ReplyBody(wire::CreateReply{"/lock/n-2", {}}));
  CHECK(talk.asks() == "children /lock");
  talk.hears(children({{"n-1", {8}}, {"n-2", me}, {"n-3", {9}}}));
  CHECK(talk.asks() == "watch /lock/n-1");
  return talk;
}

}  // namespace

TEST_CASE("who has the first node has the lock, until it is let go") {
  Talk talk;
  CHECK(talk.asks() == "nothing");
  talk.locker.want();
  CHECK(talk.asks() == "create /lock/n-");
  CHECK(talk.asks() == "nothing");
  talk.hears(wire::ReplyBody(wire::CreateReply{"/lock/n-2", {}}));
  CHECK(talk.asks() == "children /lock");
  talk.hears(children({{"n-2", me}, {"n-3", {8}}}));
  CHECK(talk.locker.holds());
  CHECK(talk.locker.token() == wire::Zxid{{1}, 1});
  CHECK(talk.asks() == "nothing");
  talk.locker.let_go();
  CHECK(!talk.locker.holds());
  CHECK(talk.asks() == "delete /lock/n-2");
  talk.hears(done());
  CHECK(talk.locker.rests());
}

TEST_CASE("everybody else waits for the node before their own") {
  Talk talk = with_a_node_behind_another();
  talk.hears(there());
  CHECK(talk.asks() == "nothing");
  talk.hears_event();
  CHECK(talk.asks() == "children /lock");
  talk.hears(children({{"n-2", me}, {"n-3", {9}}}));
  CHECK(talk.locker.holds());
  CHECK(talk.locker.has_waited());
}

TEST_CASE("what is gone is not waited for") {
  Talk at_once = with_a_node_behind_another();
  at_once.hears(gone());
  CHECK(at_once.asks() == "children /lock");

  Talk between = with_a_node_behind_another();
  between.hears_event_early();
  between.hears(there());
  CHECK(between.asks() == "children /lock");
}

TEST_CASE("without an answer it looks whether it was done") {
  Talk talk;
  talk.locker.want();
  CHECK(talk.asks() == "create /lock/n-");
  talk.locker.lost_connection();
  talk.locker.lost_answer();
  CHECK(talk.asks() == "children /lock");
  talk.hears(children({{"n-1", {8}}}));
  CHECK(talk.asks() == "create /lock/n-");
  talk.locker.lost_answer();
  CHECK(talk.asks() == "children /lock");
  talk.hears(children({{"n-2", me}}));
  CHECK(talk.locker.holds());
  talk.locker.let_go();
  CHECK(talk.asks() == "delete /lock/n-2");
  talk.locker.lost_answer();
  CHECK(talk.asks() == "children /lock");
  talk.hears(children({{"n-2", me}}));
  CHECK(talk.asks() == "delete /lock/n-2");
  talk.locker.lost_answer();
  CHECK(talk.asks() == "children /lock");
  talk.hears(wire::Error{wire::ErrorCode::no_node, ""});
  CHECK(talk.locker.rests());
}

TEST_CASE("a watch that is lost is set again, and what was the session's is gone with it") {
  Talk talk = with_a_node_behind_another();
  talk.hears(there());
  talk.locker.lost_connection();
  CHECK(talk.asks() == "children /lock");
  talk.locker.lost_session();
  CHECK(talk.locker.rests());
  CHECK(talk.asks() == "nothing");
}
