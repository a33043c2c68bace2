#include "tests/sim/service/linearizability.h"

#include <string>

#include <doctest/doctest.h>

#include "tests/sim/violation.h"

namespace {

using sim::Asked;
using sim::Linearizability;
using sim::Time;

// What users did, written down by hand. Times are those of sending and of hearing the answer.
class Story {
 public:
  Story& ok(Time invoked, Time returned, wire::Request request, wire::ReplyBody reply) {
    add(invoked, std::move(request)).reply = wire::Reply{{}, {}, {}, std::move(reply)};
    history_.back()->returned = returned;
    return *this;
  }
  Story& refused(Time invoked, Time returned, wire::Request request, wire::ErrorCode code) {
    add(invoked, std::move(request)).reply = wire::Reply{{}, {}, {}, wire::Error{code, ""}};
    history_.back()->returned = returned;
    return *this;
  }
  Story& unanswered(Time invoked, wire::Request request) {
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
  Asked& add(Time invoked, wire::Request request) {
    auto asked = std::make_shared<Asked>();
    asked->request = {wire::RequestId(std::to_string(history_.size())), {}, std::move(request)};
    asked->invoked = invoked;
    history_.push_back(asked);
    return *asked;
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

Story created_and_set() {
  return Story().ok(1, 2, create("/a"), created("/a")).ok(3, 4, set("/a", "set"), was_set(1));
}

}  // namespace

TEST_CASE("a linearizable read must not be stale, another may") {
  CHECK(created_and_set().ok(5, 6, get("/a"), got("set", 1)).has_order());
  CHECK(!created_and_set().ok(5, 6, get("/a"), got("made", 0)).has_order());
  const auto plain = get("/a", wire::SessionConsistency{});
  CHECK(created_and_set().ok(5, 6, plain, got("made", 0)).has_order());
  CHECK(created_and_set().ok(3, 6, get("/a"), got("made", 0)).has_order());
}

TEST_CASE("writes are lost, done twice, or refused without a reason") {
  CHECK(!created_and_set().ok(5, 6, set("/a", "again"), was_set(1)).has_order());
  CHECK(!created_and_set().ok(5, 6, set("/a", "again"), was_set(3)).has_order());
  CHECK(!created_and_set().ok(5, 6, create("/a"), created("/a")).has_order());
  const auto no_node = wire::ErrorCode::no_node;
  CHECK(!created_and_set().refused(5, 6, set("/a", "again"), no_node).has_order());
  CHECK(created_and_set().refused(5, 6, create("/a"), wire::ErrorCode::node_exists).has_order());
  // Of what it says nothing about, nothing follows.
  CHECK(created_and_set().refused(5, 6, set("/a", "again"), wire::ErrorCode::no_auth).has_order());
}

TEST_CASE("what was never answered, or not in so many words, may have been done") {
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

TEST_CASE("what is done to other nodes counts") {
  const auto no_node = wire::ErrorCode::no_node;
  // Deleted with what is above it, and not otherwise.
  Story deleted = created_and_set()
                      .ok(5, 6, create("/a/b"), created("/a/b"))
                      .ok(7, 8, remove("/a", true), wire::EmptyReply{});
  CHECK(Story(deleted).refused(9, 10, get("/a/b"), no_node).has_order());
  CHECK(!Story(deleted).ok(9, 10, get("/a/b"), got("made", 0)).has_order());
  // Made as a parent, with nothing in it.
  wire::CreateRequest below = create("/a/c");
  below.parents = true;
  deleted.ok(11, 12, below, created("/a/c"));
  CHECK(Story(deleted).ok(13, 14, get("/a"), got("", 0)).has_order());
  CHECK(!Story(deleted).refused(13, 14, get("/a"), no_node).has_order());
}

TEST_CASE("what belongs to a session may go, and not come back") {
  wire::CreateRequest ephemeral = create("/e");
  ephemeral.ephemeral = true;
  const auto no_node = wire::ErrorCode::no_node;
  Story gone = Story().ok(1, 2, ephemeral, created("/e")).refused(3, 4, get("/e"), no_node);
  CHECK(Story(gone).has_order());
  CHECK(!Story(gone).ok(5, 6, get("/e"), got("made", 0)).has_order());
}

TEST_CASE("a multi is a part for each node, all or none") {
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
  Story exists = created_and_set().ok(1, 2, create("/d"), created("/d"));
  CHECK(Story(exists).ok(5, 6, multi, failed).ok(7, 8, get("/a"), got("set", 1)).has_order());
  CHECK(!Story(exists).ok(5, 6, multi, failed).ok(7, 8, get("/a"), got("multi", 2)).has_order());
  CHECK(!created_and_set().ok(5, 6, multi, failed).has_order());
}
