#include "server/replication/result_queue.h"

#include <memory>
#include <string>
#include <variant>

#include <doctest/doctest.h>

namespace {

using server::ResultQueue;

zab::Txn txn(std::uint32_t counter) {
  return zab::Txn::after({}, {{1}, counter}, std::make_shared<const wire::Bytes>());
}

// A queue whose results take some time each. `handed_on` names them: a counter, or S for a status.
struct Harness {
  std::string handed_on;
  std::chrono::microseconds takes{0};
  server::SteadyClock::time_point time{};
  ResultQueue queue{[this](ResultQueue::Result& result) {
                      const auto* one = std::get_if<zab::Txn>(&result);
                      handed_on += one ? std::to_string(one->zxid.counter) : "S";
                      time += takes;
                    },
                    [this] { return time; }};

  void push(std::uint32_t first, std::uint32_t last) {
    for (std::uint32_t i = first; i <= last; ++i) queue.push(txn(i));
  }
};

TEST_CASE("results that take long are handed on in several turns, in order") {
  Harness harness;
  harness.takes = ResultQueue::turn_max * 3 / 4;
  harness.push(1, 4);
  harness.queue.push(zab::RoleStatus{});
  CHECK(harness.queue.hand_on());
  CHECK(harness.handed_on == "12");
  CHECK_FALSE(harness.queue.empty());
  CHECK(harness.queue.hand_on());
  CHECK(harness.handed_on == "1234");
  CHECK_FALSE(harness.queue.hand_on());
  CHECK(harness.handed_on == "1234S");
  CHECK(harness.queue.empty());
}

TEST_CASE("short results are handed on in one turn") {
  Harness harness;
  harness.push(1, 9);
  CHECK_FALSE(harness.queue.hand_on());
  CHECK(harness.handed_on == "123456789");
}

TEST_CASE("results behind a snapshot wait until it is loaded") {
  Harness harness;
  harness.takes = ResultQueue::turn_max;
  harness.push(1, 3);
  harness.queue.push(ResultQueue::Restore{});
  harness.push(4, 5);
  CHECK(harness.queue.hand_on());
  CHECK(harness.handed_on == "1");
  // The snapshot is loaded before the next turn: what is before it comes first.
  CHECK(harness.queue.reach_snapshot());
  CHECK(harness.handed_on == "123");
  CHECK_FALSE(harness.queue.hand_on());
  CHECK(harness.handed_on == "123");
  harness.queue.restored();
  CHECK(harness.queue.hand_on());
  CHECK_FALSE(harness.queue.hand_on());
  CHECK(harness.handed_on == "12345");
}

TEST_CASE("without a snapshot all results are handed on, and none is left to load") {
  Harness harness;
  harness.push(1, 1);
  CHECK_FALSE(harness.queue.reach_snapshot());
  CHECK(harness.handed_on == "1");
}

}  // namespace
