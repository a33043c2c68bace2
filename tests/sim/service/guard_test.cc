#include "tests/sim/service/guard.h"

#include <memory>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "tests/sim/violation.h"

namespace {

wire::Zxid zxid(std::uint32_t counter) { return {{1}, counter}; }

// Sessions 1 and 2 open with transactions 1 and 2; 1 ends with transaction 5.
class Sessions {
 public:
  Sessions() {
    commit({}, session::OpenTxn{});
    commit({}, session::OpenTxn{});
    commit(two(), session::MoveTxn{});
    commit(two(), session::MoveTxn{});
  }

  void end_of_one() { commit(one(), session::CloseTxn{.expired = true}); }
  [[nodiscard]] sim::Guard& guard() { return guard_; }
  static wire::SessionId one() { return {zxid(1).bits()}; }
  static wire::SessionId two() { return {zxid(2).bits()}; }

  // The invariant that does not hold when the lock is taken so.
  std::string taken(const sim::Hold& hold) {
    return broken([&] { guard_.taken(hold); });
  }
  std::string used(const sim::Hold& hold) {
    return broken([&] { return guard_.use(hold) ? "" : "refused"; });
  }

 private:
  template <typename Body>
  void commit(wire::SessionId session, const Body& body) {
    wire::Bytes bytes;
    session::encode(session::Transaction{session, {}, 0, 0, body}, bytes);
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
  sim::Guard guard_{model_};
  std::uint32_t last_ = 0;
};

const sim::Hold first{0, Sessions::one(), zxid(3), zxid(3)};

}  // namespace

TEST_CASE("two sessions that are open do not both have the lock") {
  const sim::Hold beside{1, Sessions::two(), zxid(4), zxid(4)};
  Sessions sessions;
  CHECK(sessions.taken(first) == "");
  CHECK(sessions.taken(beside) == "lock");

  // Whoever hears of it first.
  Sessions reversed;
  CHECK(reversed.taken(beside) == "");
  CHECK(reversed.taken(first) == "lock");
}

TEST_CASE("the lock is free when its holder lets go") {
  Sessions sessions;
  CHECK(sessions.taken(first) == "");
  sessions.guard().let_go(first);
  CHECK(sessions.taken({1, Sessions::two(), zxid(4), zxid(4)}) == "");
}

TEST_CASE("the lock is free from its holder's end on, whether or not it knows, and not before") {
  Sessions sessions;
  CHECK(sessions.taken(first) == "");
  sessions.end_of_one();
  CHECK(sessions.taken({1, Sessions::two(), zxid(4), zxid(5)}) == "");

  Sessions early;
  CHECK(early.taken(first) == "");
  early.end_of_one();
  CHECK(early.taken({1, Sessions::two(), zxid(4), zxid(4)}) == "lock");
}

TEST_CASE("no token is good after a greater one, and that of who has the lock always is") {
  const sim::Hold second{1, Sessions::two(), zxid(4), zxid(5)};
  Sessions sessions;
  CHECK(sessions.taken(first) == "");
  CHECK(sessions.used(first) == "");
  sessions.end_of_one();
  CHECK(sessions.taken(second) == "");
  CHECK(sessions.used(first) == "");
  CHECK(sessions.used(second) == "");
  CHECK(sessions.used(second) == "");
  CHECK(sessions.used(first) == "refused");

  // The lock is given to one with a smaller token than that of the holder before.
  Sessions inverted;
  const sim::Hold later{0, Sessions::one(), zxid(4), zxid(4)};
  const sim::Hold smaller{1, Sessions::two(), zxid(3), zxid(5)};
  CHECK(inverted.taken(later) == "");
  CHECK(inverted.used(later) == "");
  inverted.end_of_one();
  CHECK(inverted.taken(smaller) == "");
  CHECK(inverted.used(smaller) == "fencing");
  inverted.guard().let_go(smaller);
  CHECK(inverted.used(smaller) == "refused");
}
