#include "tests/sim/service/fenced_resource.h"

#include <memory>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "tests/sim/violation.h"

namespace {

wire::Zxid zxid(std::uint32_t counter) { return {{1}, counter}; }

// Session 1 opens with transaction 1 and ends with transaction 5. Session 2 opens with transaction
// 2.
class Sessions {
 public:
  Sessions() {
    commit({}, session::OpenTxn{});
    commit({}, session::OpenTxn{});
    commit(two(), session::MoveTxn{});
    commit(two(), session::MoveTxn{});
  }

  void end_of_one() { commit(one(), session::CloseTxn{.expired = true}); }
  [[nodiscard]] sim::FencedResource& fenced_resource() { return fenced_resource_; }
  static wire::SessionId one() { return {zxid(1).bits()}; }
  static wire::SessionId two() { return {zxid(2).bits()}; }

  // These return the name of the violated invariant; empty if none is.
  std::string on_acquired(const sim::LockHold& hold) {
    return broken([&] { fenced_resource_.on_acquired(hold); });
  }
  std::string used(const sim::LockHold& hold) {
    return broken([&] { return fenced_resource_.use(hold) ? "" : "refused"; });
  }

 private:
  template <typename Body>
  void commit(wire::SessionId session, const Body& body) {
    wire::Bytes bytes;
    session::encode(session::Transaction{session, {}, 0, 0, body}, {}, bytes);
    model_.commit(
        zab::Txn::after({}, zxid(++last_), std::make_shared<const wire::Bytes>(std::move(bytes))));
  }
  template <typename Do>
  static std::string broken(const Do& act) {
    try {
      if constexpr (std::is_void_v<decltype(act())>) {
        act();
        return "";
      } else {
        return act();
      }
    } catch (const sim::Violation& violation) {
      return violation.invariant;
    }
  }

  sim::Model model_;
  sim::FencedResource fenced_resource_{model_};
  std::uint32_t last_ = 0;
};

const sim::LockHold first{0, Sessions::one(), zxid(3), zxid(3)};

}  // namespace

TEST_CASE("two open sessions do not hold the lock at the same time") {
  const sim::LockHold beside{1, Sessions::two(), zxid(4), zxid(4)};
  Sessions sessions;
  CHECK(sessions.on_acquired(first) == "");
  CHECK(sessions.on_acquired(beside) == "lock");

  // In the other order.
  Sessions reversed;
  CHECK(reversed.on_acquired(beside) == "");
  CHECK(reversed.on_acquired(first) == "lock");
}

TEST_CASE("the lock is free after its holder released it") {
  Sessions sessions;
  CHECK(sessions.on_acquired(first) == "");
  sessions.fenced_resource().on_released(first);
  CHECK(sessions.on_acquired({1, Sessions::two(), zxid(4), zxid(4)}) == "");
}

TEST_CASE("the lock is free after the end of its holder's session, and not before") {
  Sessions sessions;
  CHECK(sessions.on_acquired(first) == "");
  sessions.end_of_one();
  CHECK(sessions.on_acquired({1, Sessions::two(), zxid(4), zxid(5)}) == "");

  Sessions early;
  CHECK(early.on_acquired(first) == "");
  early.end_of_one();
  CHECK(early.on_acquired({1, Sessions::two(), zxid(4), zxid(4)}) == "lock");
}

TEST_CASE("a token is refused after a greater one, except that of the holder") {
  const sim::LockHold second{1, Sessions::two(), zxid(4), zxid(5)};
  Sessions sessions;
  CHECK(sessions.on_acquired(first) == "");
  CHECK(sessions.used(first) == "");
  sessions.end_of_one();
  CHECK(sessions.on_acquired(second) == "");
  CHECK(sessions.used(first) == "");
  CHECK(sessions.used(second) == "");
  CHECK(sessions.used(second) == "");
  CHECK(sessions.used(first) == "refused");

  // Here the new holder has a smaller token than the one before: a violation.
  Sessions inverted;
  const sim::LockHold later{0, Sessions::one(), zxid(4), zxid(4)};
  const sim::LockHold smaller{1, Sessions::two(), zxid(3), zxid(5)};
  CHECK(inverted.on_acquired(later) == "");
  CHECK(inverted.used(later) == "");
  inverted.end_of_one();
  CHECK(inverted.on_acquired(smaller) == "");
  CHECK(inverted.used(smaller) == "fencing");
  inverted.fenced_resource().on_released(smaller);
  CHECK(inverted.used(smaller) == "refused");
}
