#include "tests/sim/service/lock_recipe.h"

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace {

constexpr wire::SessionId me{7};

// A recipe with requests as text, and replies given by the test.
class Scenario {
 public:
  sim::LockRecipe recipe;

  // The next request as text; "nothing" if there is none.
  std::string next_request() {
    const auto request = recipe.next();
    if (!request) return "nothing";
    recipe.sent(id());
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
  void receive(wire::Result<wire::ReplyBody> body) {
    recipe.receive(wire::Reply{id(), {}, {}, std::move(body)}, me);
    last_ += 1;
  }
  void receive_event() { fire({std::to_string(last_ - 1)}); }
  void receive_event_early() { fire(id()); }

 private:
  void fire(wire::RequestId watch) {
    wire::WatchEvent event;
    event.watch = std::move(watch);
    recipe.receive(event);
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
wire::Result<wire::ReplyBody> node_exists() {
  return wire::ReplyBody(wire::ExistsReply{wire::Stat{}});
}
wire::Result<wire::ReplyBody> node_missing() { return wire::ReplyBody(wire::ExistsReply{}); }
wire::Result<wire::ReplyBody> done() { return wire::ReplyBody(wire::EmptyReply{}); }

Scenario waiting_for_another() {
  Scenario scenario;
  scenario.recipe.want();
  CHECK(scenario.next_request() == "create /lock/n-");
  scenario.receive(wire::ReplyBody(wire::CreateReply{"/lock/n-2", {}}));
  CHECK(scenario.next_request() == "children /lock");
  scenario.receive(children({{"n-1", {8}}, {"n-2", me}, {"n-3", {9}}}));
  CHECK(scenario.next_request() == "watch /lock/n-1");
  return scenario;
}

}  // namespace

TEST_CASE("the owner of the first node holds the lock until it releases it") {
  Scenario scenario;
  CHECK(scenario.next_request() == "nothing");
  scenario.recipe.want();
  CHECK(scenario.next_request() == "create /lock/n-");
  CHECK(scenario.next_request() == "nothing");
  scenario.receive(wire::ReplyBody(wire::CreateReply{"/lock/n-2", {}}));
  CHECK(scenario.next_request() == "children /lock");
  scenario.receive(children({{"n-2", me}, {"n-3", {8}}}));
  CHECK(scenario.recipe.holds());
  CHECK(scenario.recipe.token() == wire::Zxid{{1}, 1});
  CHECK(scenario.next_request() == "nothing");
  scenario.recipe.release();
  CHECK(!scenario.recipe.holds());
  CHECK(scenario.next_request() == "delete /lock/n-2");
  scenario.receive(done());
  CHECK(scenario.recipe.is_idle());
}

TEST_CASE("the owner of another node waits for the node before its own") {
  Scenario scenario = waiting_for_another();
  scenario.receive(node_exists());
  CHECK(scenario.next_request() == "nothing");
  scenario.receive_event();
  CHECK(scenario.next_request() == "children /lock");
  scenario.receive(children({{"n-2", me}, {"n-3", {9}}}));
  CHECK(scenario.recipe.holds());
  CHECK(scenario.recipe.has_waited());
}

TEST_CASE("a user does not wait for a node that was deleted meanwhile") {
  Scenario at_once = waiting_for_another();
  at_once.receive(node_missing());
  CHECK(at_once.next_request() == "children /lock");

  Scenario between = waiting_for_another();
  between.receive_event_early();
  between.receive(node_exists());
  CHECK(between.next_request() == "children /lock");
}

TEST_CASE("after a lost reply the list of children shows whether the request was done") {
  Scenario scenario;
  scenario.recipe.want();
  CHECK(scenario.next_request() == "create /lock/n-");
  scenario.recipe.lost_connection();
  scenario.recipe.lost_reply();
  CHECK(scenario.next_request() == "children /lock");
  scenario.receive(children({{"n-1", {8}}}));
  CHECK(scenario.next_request() == "create /lock/n-");
  scenario.recipe.lost_reply();
  CHECK(scenario.next_request() == "children /lock");
  scenario.receive(children({{"n-2", me}}));
  CHECK(scenario.recipe.holds());
  scenario.recipe.release();
  CHECK(scenario.next_request() == "delete /lock/n-2");
  scenario.recipe.lost_reply();
  CHECK(scenario.next_request() == "children /lock");
  scenario.receive(children({{"n-2", me}}));
  CHECK(scenario.next_request() == "delete /lock/n-2");
  scenario.recipe.lost_reply();
  CHECK(scenario.next_request() == "children /lock");
  scenario.receive(wire::Error{wire::ErrorCode::no_node, ""});
  CHECK(scenario.recipe.is_idle());
}

TEST_CASE("a lost watch is set again, and a lost session resets the recipe") {
  Scenario scenario = waiting_for_another();
  scenario.receive(node_exists());
  scenario.recipe.lost_connection();
  CHECK(scenario.next_request() == "children /lock");
  scenario.recipe.lost_session();
  CHECK(scenario.recipe.is_idle());
  CHECK(scenario.next_request() == "nothing");
}
