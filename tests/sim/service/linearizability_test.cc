#include "tests/sim/service/linearizability.h"

#include <string>

#include <doctest/doctest.h>

#include "tests/sim/violation.h"

namespace {

using sim::Linearizability;
using sim::Time;
using sim::TrackedRequest;

// A history of operations. The times are those of sending the request and of receiving the reply.
class TestHistory {
 public:
  TestHistory& ok(Time invoked, Time returned, wire::Request request, wire::ReplyBody reply) {
    add(invoked, std::move(request)).reply = wire::Reply{{}, {}, {}, std::move(reply)};
    history_.back()->returned = returned;
    return *this;
  }
  TestHistory& refused(Time invoked, Time returned, wire::Request request, wire::ErrorCode code) {
    add(invoked, std::move(request)).reply = wire::Reply{{}, {}, {}, wire::Error{code, ""}};
    history_.back()->returned = returned;
    return *this;
  }
  TestHistory& unanswered(Time invoked, wire::Request request) {
    add(invoked, std::move(request));
    return *this;
  }

  [[nodiscard]] bool has_order() const {
    try {
      return Linearizability(history_).check(10'000).given_up == 0;
    } catch (const sim::Violation&) {
      return false;
    }
  }

 private:
  TrackedRequest& add(Time invoked, wire::Request request) {
    auto tracked = std::make_shared<TrackedRequest>();
    tracked->request = {wire::RequestId(std::to_string(history_.size())), {}, std::move(request)};
    tracked->invoked = invoked;
    history_.push_back(tracked);
    return *tracked;
  }

  Linearizability::History history_;
};

wire::Stat version(std::int32_t number) {
  wire::Stat stat;
  stat.version = number;
  return stat;
}
wire::CreateRequest create(const std::string& path, const wire::Bytes& data = "made") {
  wire::CreateRequest request;
  request.path = path;
  request.data = data;
  return request;
}
wire::ReplyBody created(const std::string& path) { return wire::CreateReply{path, version(0)}; }
wire::SetRequest set(const std::string& path, const wire::Bytes& data) {
  wire::SetRequest request;
  request.path = path;
  request.data = data;
  return request;
}
wire::ReplyBody was_set(std::int32_t number) { return wire::SetReply{version(number)}; }
wire::GetRequest get(const std::string& path,
                     wire::Consistency consistency = wire::Linearizable{}) {
  return {path, {consistency}};
}
wire::ReplyBody got(const wire::Bytes& data, std::int32_t number) {
  return wire::GetReply{data, version(number)};
}
wire::DeleteRequest remove(const std::string& path, bool recursive) {
  return {path, wire::any_version, recursive};
}

TestHistory created_and_set() {
  return TestHistory().ok(1, 2, create("/a"), created("/a")).ok(3, 4, set("/a", "set"), was_set(1));
}

}  // namespace

TEST_CASE("a linearizable read must not be stale, other reads may be") {
  CHECK(created_and_set().ok(5, 6, get("/a"), got("set", 1)).has_order());
  CHECK(!created_and_set().ok(5, 6, get("/a"), got("made", 0)).has_order());
  const auto plain = get("/a", wire::SessionConsistency{});
  CHECK(created_and_set().ok(5, 6, plain, got("made", 0)).has_order());
  CHECK(created_and_set().ok(3, 6, get("/a"), got("made", 0)).has_order());
}

TEST_CASE("lost, repeated and wrongly refused writes are found") {
  CHECK(!created_and_set().ok(5, 6, set("/a", "again"), was_set(1)).has_order());
  CHECK(!created_and_set().ok(5, 6, set("/a", "again"), was_set(3)).has_order());
  CHECK(!created_and_set().ok(5, 6, create("/a"), created("/a")).has_order());
  const auto no_node = wire::ErrorCode::no_node;
  CHECK(!created_and_set().refused(5, 6, set("/a", "again"), no_node).has_order());
  CHECK(created_and_set().refused(5, 6, create("/a"), wire::ErrorCode::node_exists).has_order());
  // A refusal because of an ACL proves nothing about the node.
  CHECK(created_and_set().refused(5, 6, set("/a", "again"), wire::ErrorCode::no_auth).has_order());
}

TEST_CASE("a write without a definite answer may or may not have been done") {
  const auto moved = wire::ErrorCode::session_moved;
  CHECK(
      created_and_set().unanswered(5, set("/a", "x")).ok(6, 7, get("/a"), got("x", 2)).has_order());
  CHECK(created_and_set()
            .refused(5, 6, set("/a", "x"), moved)
            .ok(7, 8, get("/a"), got("x", 2))
            .has_order());
  CHECK(created_and_set()
            .refused(5, 6, set("/a", "x"), moved)
            .ok(7, 8, get("/a"), got("set", 1))
            .has_order());
}

TEST_CASE("the effects of an operation on other nodes are included") {
  const auto no_node = wire::ErrorCode::no_node;
  // A node is deleted together with its ancestor.
  TestHistory deleted = created_and_set()
                            .ok(5, 6, create("/a/b"), created("/a/b"))
                            .ok(7, 8, remove("/a", true), wire::EmptyReply{});
  CHECK(TestHistory(deleted).refused(9, 10, get("/a/b"), no_node).has_order());
  CHECK(!TestHistory(deleted).ok(9, 10, get("/a/b"), got("made", 0)).has_order());
  // A node created as a parent has no data.
  wire::CreateRequest below = create("/a/c");
  below.parents = true;
  deleted.ok(11, 12, below, created("/a/c"));
  CHECK(TestHistory(deleted).ok(13, 14, get("/a"), got("", 0)).has_order());
  CHECK(!TestHistory(deleted).refused(13, 14, get("/a"), no_node).has_order());
}

TEST_CASE("an ephemeral node may disappear, and does not come back") {
  wire::CreateRequest ephemeral = create("/e");
  ephemeral.ephemeral = true;
  const auto no_node = wire::ErrorCode::no_node;
  TestHistory deleted =
      TestHistory().ok(1, 2, ephemeral, created("/e")).refused(3, 4, get("/e"), no_node);
  CHECK(TestHistory(deleted).has_order());
  CHECK(!TestHistory(deleted).ok(5, 6, get("/e"), got("made", 0)).has_order());
}

TEST_CASE("a multi has all its effects or none") {
  const wire::MultiRequest multi{{set("/a", "multi"), create("/d")}};
  wire::MultiReply done;
  done.results.emplace_back(wire::OpReply(wire::SetReply{version(2)}));
  done.results.emplace_back(wire::OpReply(wire::CreateReply{"/d", version(0)}));
  CHECK(created_and_set().ok(5, 6, multi, done).ok(7, 8, get("/d"), got("made", 0)).has_order());
  CHECK(!created_and_set().ok(5, 6, multi, done).ok(7, 8, get("/a"), got("set", 1)).has_order());

  wire::MultiReply failed;
  failed.failed = 1;
  failed.results.emplace_back(wire::Error{wire::ErrorCode::runtime_inconsistency, ""});
  failed.results.emplace_back(wire::Error{wire::ErrorCode::node_exists, ""});
  TestHistory exists = created_and_set().ok(1, 2, create("/d"), created("/d"));
  CHECK(TestHistory(exists).ok(5, 6, multi, failed).ok(7, 8, get("/a"), got("set", 1)).has_order());
  CHECK(!TestHistory(exists)
             .ok(5, 6, multi, failed)
             .ok(7, 8, get("/a"), got("multi", 2))
             .has_order());
  CHECK(!created_and_set().ok(5, 6, multi, failed).has_order());
}
