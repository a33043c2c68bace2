#include "server/pipeline/pending.h"

#include <string>

#include <doctest/doctest.h>

namespace {

using server::Pending;
using server::WhenApplied;

wire::Zxid zxid(std::uint32_t counter) { return {{1}, counter}; }

// The tags of the reads and refusals that are due, in their order.
std::string due_tags(Pending& pending, wire::Zxid applied) {
  std::string tags;
  while (const auto due = pending.pop_due(applied)) {
    const auto* read = std::get_if<WhenApplied::ReleaseRead>(&*due);
    tags += std::to_string(read ? read->tag : std::get<WhenApplied::ReplyRefusal>(*due).tag) + " ";
  }
  return tags;
}

TEST_CASE("a request waits under its tag until it is removed") {
  Pending pending(6);
  CHECK(pending.add({3, wire::RequestId{"\"a\""}, {}, {}}) == 7);
  CHECK(pending.find(8) == nullptr);
  REQUIRE(pending.find(7) != nullptr);
  CHECK(pending.find(7)->client == 3);
  CHECK(pending.requests() == 1);

  const auto removed = pending.remove(7);
  REQUIRE(removed.has_value());
  CHECK(removed->id.json == "\"a\"");
  CHECK_FALSE(pending.remove(7).has_value());
  CHECK(pending.requests() == 0);
}

TEST_CASE("requests that wait for a zxid are due once it is applied, in zxid order") {
  Pending pending(0);
  pending.add_at({zxid(3), WhenApplied::ReleaseRead{1}});
  pending.add_at({zxid(2), WhenApplied::ReplyRefusal{2, {}}});
  pending.add_at({zxid(2), WhenApplied::ReleaseRead{3}});
  CHECK(due_tags(pending, zxid(1)) == "");
  CHECK(due_tags(pending, zxid(2)) == "2 3 ");
  CHECK(due_tags(pending, zxid(4)) == "1 ");
}

TEST_CASE("a read waits for its zxid, but not longer than its ticks") {
  Pending pending(0);
  pending.add_read(1, zxid(5), 2);
  pending.add_read(2, zxid(6), 2);
  CHECK_FALSE(pending.pop_read(zxid(4)).has_value());
  CHECK(pending.pop_read(zxid(5)) == 1);
  CHECK_FALSE(pending.pop_read(zxid(5)).has_value());
  CHECK(pending.reads() == 1);

  pending.tick();
  CHECK_FALSE(pending.pop_late_read().has_value());
  pending.tick();
  const auto late = pending.pop_late_read();
  REQUIRE(late.has_value());
  CHECK(late->tag == 2);
  CHECK(late->zxid == zxid(6));
  CHECK_FALSE(pending.pop_late_read().has_value());
  CHECK_FALSE(pending.pop_read(zxid(9)).has_value());
}

TEST_CASE("the waiting session request of a client that leaves is removed") {
  Pending pending(0);
  for (const std::uint64_t client : {1, 2, 3}) {
    pending.add_at({zxid(7), WhenApplied::RequestSession{client}});
    pending.add_at({zxid(7), WhenApplied::RequestSession{client}});  // the server serves again
  }
  CHECK(pending.session_requests() == 3);
  pending.remove_session_request(2, zxid(7));
  pending.remove_session_request(9, zxid(7));
  CHECK(pending.session_requests() == 2);
  CHECK_FALSE(pending.pop_due(zxid(6)).has_value());
  for (const std::uint64_t client : {1, 3}) {
    const auto due = pending.pop_due(zxid(7));
    REQUIRE(due.has_value());
    CHECK(std::get<WhenApplied::RequestSession>(*due).client == client);
  }
  CHECK_FALSE(pending.pop_due(zxid(7)).has_value());
}

TEST_CASE("the removal of a request removes its read too") {
  Pending pending(0);
  const std::uint64_t tag = pending.add(Pending::Request{});
  pending.add_read(tag, zxid(5), 1);
  CHECK(pending.remove(tag).has_value());
  CHECK(pending.reads() == 0);
  pending.tick();
  CHECK_FALSE(pending.pop_late_read().has_value());
  CHECK_FALSE(pending.pop_read(zxid(9)).has_value());
}

TEST_CASE("clear removes all waiting requests and reads") {
  Pending pending(0);
  CHECK(pending.add(Pending::Request{}) == 1);
  pending.add_at({zxid(1), WhenApplied::ReleaseRead{1}});
  pending.add_read(2, zxid(1), 1);
  pending.clear();
  pending.tick();
  CHECK(pending.find(1) == nullptr);
  CHECK(due_tags(pending, zxid(9)) == "");
  CHECK_FALSE(pending.pop_read(zxid(9)).has_value());
  CHECK_FALSE(pending.pop_late_read().has_value());
}

}  // namespace
