#include <cstddef>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "session/watches.h"

// Sessions that lag: their events have no room, or are too many.
namespace session {
namespace {

using wire::EventKind;

constexpr wire::SessionId alice{1};
constexpr wire::SessionId bob{2};

Watch subtree(const std::string& path, bool once = false) {
  return {.path = path,
          .interest = {.created = true, .changed = true, .deleted = true},
          .reach = Watch::Reach::subtree,
          .once = once,
          .from = {}};
}

std::string text_of(const std::vector<wire::WatchEvent>& events) {
  std::string text;
  for (const wire::WatchEvent& event : events) {
    if (!text.empty()) text += ", ";
    text += event.watch.json + ' ' + std::string(wire::name(event.kind)) + ' ' + event.path;
  }
  return text;
}

// Watches whose sessions have room for some events each.
class Harness {
 public:
  explicit Harness(const Watches::Options& options = {}) : watches(options) {}

  void set(wire::SessionId session, const std::string& id, const Watch& watch) {
    REQUIRE(watches.add(session, {id}, watch).has_value());
  }
  // One transaction that changes /1 to /count. Returns the sessions that lag from now on.
  std::vector<wire::SessionId> change(std::size_t count = 1) {
    std::vector<znode::Change> changes;
    for (std::size_t i = 1; i <= count; ++i) {
      changes.push_back({EventKind::changed, '/' + std::to_string(i), data, wire::Stat{}, acl});
    }
    return watches.fire({{1}, ++counter_}, std::move(changes),
                        [this](wire::SessionId session, wire::WatchEvent&& event) {
                          std::vector<wire::WatchEvent>& to = session == alice ? to_alice : to_bob;
                          if (session == alice && to.size() >= room_of_alice) return false;
                          to.push_back(std::move(event));
                          return true;
                        });
  }

  Watches watches;
  std::vector<wire::WatchEvent> to_alice;
  std::vector<wire::WatchEvent> to_bob;
  wire::Bytes data = "x";  // of the nodes that change
  znode::SharedAcl acl;    // of these nodes
  std::size_t room_of_alice = 1'000'000;

 private:
  std::uint32_t counter_ = 0;
};

using Sessions = std::vector<wire::SessionId>;

TEST_CASE("a session without room for an event gets a resync for each watch when it resumes") {
  Harness harness;
  harness.set(alice, "1", subtree("/"));
  harness.set(alice, "2", subtree("/1"));
  harness.set(bob, "3", subtree("/"));
  harness.room_of_alice = 1;
  CHECK(harness.change() == Sessions{alice});
  CHECK(text_of(harness.to_alice) == "1 changed /1");
  CHECK(harness.watches.is_suspended(alice));
  CHECK_FALSE(harness.watches.is_suspended(bob));
  harness.room_of_alice = 100;
  CHECK(harness.change() == Sessions{});
  CHECK(harness.to_alice.size() == 1);
  CHECK(text_of(harness.to_bob) == "3 changed /1, 3 changed /1");

  const auto events = harness.watches.resume(alice);
  CHECK(text_of(events) == "1 resync /, 2 resync /1");
  CHECK(events[0].zxid == wire::Zxid{{1}, 2});
  CHECK_FALSE(harness.watches.is_suspended(alice));
  CHECK(text_of(harness.watches.resume(alice)) == "");
  harness.to_alice.clear();
  CHECK(harness.change() == Sessions{});
  CHECK(text_of(harness.to_alice) == "1 changed /1, 2 changed /1");
}

TEST_CASE("a watch for one event whose event has no room gets a resync, and ends") {
  Harness harness;
  harness.set(alice, "1", subtree("/", /*once=*/true));
  harness.room_of_alice = 0;
  CHECK(harness.change() == Sessions{alice});
  CHECK(harness.watches.size(alice) == 1);
  CHECK(text_of(harness.watches.resume(alice)) == "1 resync /");
  CHECK(harness.watches.size() == 0);
}

TEST_CASE("watches can be set and removed while their session lags") {
  Harness harness;
  harness.set(alice, "1", subtree("/"));
  harness.set(alice, "2", subtree("/"));
  harness.room_of_alice = 0;
  harness.change();
  harness.set(alice, "3", subtree("/"));
  CHECK(harness.watches.remove(alice, {"1"}).has_value());
  CHECK(harness.watches.size() == 2);
  harness.room_of_alice = 100;
  harness.change();
  CHECK(harness.to_alice.empty());
  CHECK(text_of(harness.watches.resume(alice)) == "2 resync /, 3 resync /");
  harness.change();
  CHECK(text_of(harness.to_alice) == "2 changed /1, 3 changed /1");
}

TEST_CASE("the watches of a session that lags end with it") {
  Harness harness;
  harness.set(alice, "1", subtree("/"));
  harness.set(bob, "2", subtree("/"));
  harness.room_of_alice = 0;
  harness.change();
  harness.watches.remove_session(alice);
  CHECK(harness.watches.size() == 1);
  CHECK(text_of(harness.watches.resume(alice)) == "");
  harness.change();
  CHECK(harness.to_bob.size() == 2);
}

TEST_CASE(
    "if a transaction causes very many events, the sessions with most of them lag, and no others") {
  // Room for 60 events or so. An event of this test takes less than 300 bytes.
  Harness harness({.history = {}, .hash_key = {}, .event_bytes_max = 60 * 300});
  for (int i = 0; i < 100; ++i) harness.set(alice, std::to_string(i), subtree("/"));
  harness.set(bob, "1000", subtree("/"));
  CHECK(harness.change(15) == Sessions{alice});
  CHECK(harness.to_bob.size() == 15);
  CHECK(harness.to_alice.size() >= 30);
  CHECK(harness.to_alice.size() <= 60);
  // The count of the next transaction begins at 0.
  CHECK(harness.watches.resume(alice).size() == 100);
  harness.to_bob.clear();
  CHECK(harness.change(1) == Sessions{alice});
  CHECK(harness.to_bob.size() == 1);
}

TEST_CASE("a session whose watches report nothing of very many changes lags, and no other") {
  for (const bool is_ahead : {true, false}) {
    CAPTURE(is_ahead);
    // Room for 1,000 watches that are found and report nothing.
    Harness harness({.history = {}, .hash_key = {}, .event_bytes_max = 1000 * 64});
    Watch silent = subtree("/");
    if (is_ahead) {
      silent.from = wire::Zxid{{2}, 0};
    } else {
      harness.acl = znode::SharedAcl(wire::Acl{{"digest", "carol:hash", 31}});
    }
    for (int i = 0; i < 100; ++i) harness.set(alice, std::to_string(i), silent);
    harness.set(bob, "1000", silent);
    CHECK(harness.change(4) == Sessions{});
    CHECK(harness.change(50) == Sessions{alice});
    CHECK(harness.to_alice.empty());
    CHECK(harness.watches.resume(alice).size() == 100);
  }
}

TEST_CASE("the data of events count, so that few copies of large data are made at once") {
  Harness harness({.history = {}, .hash_key = {}, .event_bytes_max = 100'000});
  Watch watch = subtree("/");
  watch.with_data = true;
  for (int i = 0; i < 100; ++i) harness.set(alice, std::to_string(i), watch);
  harness.set(bob, "1000", watch);
  harness.data = wire::Bytes(10'000, 'x');
  CHECK(harness.change() == Sessions{alice});
  CHECK(harness.to_alice.size() < 10);
  CHECK(harness.to_bob.size() == 1);
}

TEST_CASE("the watches of one path are limited, whoever has set them") {
  Harness harness({.per_session_max = 1'000'000, .history = {}, .hash_key = {}});
  for (std::size_t i = 0; i < Watches::path_watches_max; ++i) {
    harness.set(i % 2 == 0 ? alice : bob, std::to_string(i), subtree("/"));
  }
  const auto error_of = [&](const Watch& watch) {
    const auto added = harness.watches.add(bob, {"1000001"}, watch);
    return added ? wire::ErrorCode{} : added.error().code;
  };
  CHECK(error_of(subtree("/")) == wire::ErrorCode::too_many_watches);
  CHECK(error_of(subtree("/1")) == wire::ErrorCode{});
  harness.watches.remove_session(alice);
  REQUIRE(harness.watches.remove(bob, {"1000001"}).has_value());
  CHECK(error_of(subtree("/")) == wire::ErrorCode{});
}

TEST_CASE("a watch from so far back that its events are too many gets one resync") {
  Harness harness({.history = {}, .hash_key = {}, .missed_bytes_max = 10 * 300});
  for (int i = 0; i < 20; ++i) harness.change();
  Watch watch = subtree("/");
  watch.from = wire::Zxid{{1}, 15};
  const auto few = harness.watches.add(alice, {"1"}, watch);
  CHECK(few->size() == 5);
  watch.from = wire::Zxid{{1}, 5};
  const auto many = harness.watches.add(alice, {"2"}, watch);
  CHECK(text_of(*many) == "2 resync /");
  CHECK(harness.watches.size(alice) == 2);
}

}  // namespace
}  // namespace session
