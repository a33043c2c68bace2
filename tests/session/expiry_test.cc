#include "session/expiry.h"

#include <cstdint>
#include <map>
#include <vector>

#include <doctest/doctest.h>

namespace session {
namespace {

using Ids = std::vector<wire::SessionId>;

Ids ticks(Expiry& expiry, int count) {
  Ids expired;
  for (int i = 0; i < count; ++i) {
    for (const wire::SessionId id : expiry.tick()) {
      expired.push_back(id);
      CHECK(expiry.remove(id));
    }
  }
  return expired;
}

TEST_CASE("a session expires at the first tick more than its timeout after its last touch") {
  Expiry expiry;
  expiry.add({1}, 3);
  CHECK(ticks(expiry, 3).empty());
  CHECK(ticks(expiry, 1) == Ids{{1}});
  CHECK(ticks(expiry, 10).empty());
  CHECK(expiry.size() == 0);
}

TEST_CASE("a touch restarts the full timeout") {
  Expiry expiry;
  expiry.add({1}, 3);
  for (int i = 0; i < 10; ++i) {
    CHECK(ticks(expiry, 3).empty());
    expiry.touch({1});
  }
  CHECK(ticks(expiry, 3).empty());
  CHECK(ticks(expiry, 1) == Ids{{1}});
}

TEST_CASE("a session that is due lives on if it is touched before it is removed") {
  Expiry expiry;
  expiry.add({1}, 3);
  CHECK(expiry.is_alive({1}));
  for (int i = 0; i < 3; ++i) CHECK(expiry.tick().empty());
  CHECK(expiry.tick() == Ids{{1}});
  CHECK_FALSE(expiry.is_alive({1}));
  CHECK(expiry.tick().empty());
  expiry.touch({1});
  CHECK(expiry.is_alive({1}));
  CHECK(ticks(expiry, 3).empty());
  CHECK(ticks(expiry, 1) == Ids{{1}});
  CHECK_FALSE(expiry.is_alive({1}));
}

TEST_CASE("sessions that expire together are returned in the order of their ids") {
  Expiry expiry;
  for (const std::uint64_t id : {5u, 3u, 9u, 1u}) expiry.add({id}, 2);
  CHECK(ticks(expiry, 3) == Ids{{1}, {3}, {5}, {9}});
}

// ZOOKEEPER-1049.
TEST_CASE("many sessions that expire at once do not affect the others") {
  constexpr std::uint64_t count = 10'000;
  Expiry expiry;
  for (std::uint64_t id = 1; id <= 2 * count; ++id) expiry.add({id}, 4);
  CHECK(ticks(expiry, 2).empty());
  for (std::uint64_t id = 1; id <= count; ++id) expiry.remove({2 * id});
  for (std::uint64_t id = 1; id <= count; id += 2) expiry.touch({2 * id - 1});
  CHECK(ticks(expiry, 3).size() == count / 2);
  CHECK(expiry.size() == count / 2);
  const Ids rest = ticks(expiry, 2);
  CHECK(rest.size() == count / 2);
  CHECK(rest.front() == wire::SessionId{1});
  CHECK(expiry.size() == 0);
}

TEST_CASE("a removed session does not expire, and an unknown one is not touched") {
  Expiry expiry;
  expiry.add({1}, 2);
  expiry.remove({1});
  expiry.touch({1});
  expiry.remove({2});
  CHECK(ticks(expiry, 5).empty());
}

TEST_CASE("a timeout can be shortened or extended") {
  Expiry expiry;
  expiry.add({1}, 10);
  expiry.add({1}, 2);
  CHECK(ticks(expiry, 3) == Ids{{1}});
  expiry.add({2}, 2);
  expiry.add({2}, 10);
  CHECK(ticks(expiry, 10).empty());
  CHECK(ticks(expiry, 1) == Ids{{2}});
  expiry.add({3}, 0);
  CHECK(ticks(expiry, 1).empty());
  CHECK(ticks(expiry, 1) == Ids{{3}});
}

TEST_CASE("a reset restarts the full timeout of all sessions") {
  Expiry expiry;
  expiry.add({1}, 3);
  expiry.add({2}, 5);
  CHECK(ticks(expiry, 3).empty());
  expiry.reset();
  CHECK(ticks(expiry, 3).empty());
  CHECK(ticks(expiry, 1) == Ids{{1}});
  CHECK(ticks(expiry, 2) == Ids{{2}});
  expiry.add({3}, 1);
  expiry.clear();
  CHECK(ticks(expiry, 5).empty());
}

TEST_CASE("expiry agrees with a simple model that checks every session in every tick") {
  struct Modelled {
    std::uint32_t timeout;
    std::uint64_t deadline;
  };
  Expiry expiry;
  std::map<std::uint64_t, Modelled> model;
  std::uint64_t random = 1;
  const auto next = [&random](std::uint64_t bound) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    return (random >> 33) % bound;
  };
  for (std::uint64_t now = 0; now < 500; ++now) {
    for (int i = 0; i < 20; ++i) {
      const std::uint64_t id = 1 + next(60);
      switch (next(4)) {
        case 0: {
          const auto timeout = static_cast<std::uint32_t>(1 + next(12));
          expiry.add({id}, timeout);
          model[id] = {timeout, now + timeout + 1};
          break;
        }
        case 1:
          if (next(4) > 0) break;
          expiry.remove({id});
          model.erase(id);
          break;
        default:
          expiry.touch({id});
          if (model.contains(id)) model[id].deadline = now + model[id].timeout + 1;
      }
    }
    Ids due;
    for (const auto& [id, modelled] : model) {
      if (modelled.deadline <= now + 1) due.push_back({id});
    }
    for (const wire::SessionId id : due) model.erase(id.value);
    REQUIRE(expiry.tick() == due);
    for (const wire::SessionId id : due) expiry.remove(id);
    REQUIRE(expiry.size() == model.size());
  }
}

}  // namespace
}  // namespace session
