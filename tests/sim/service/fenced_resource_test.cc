#include "tests/sim/service/fenced_resource.h"

#include <memory>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "tests/sim/violation.h"

namespace {

using sim::HoldKind;
using sim::LockHold;

constexpr wire::Zxid zxid(std::uint32_t counter) { return {{1}, counter}; }

// A model of which the test writes the log. Transaction 1 opens a session, and transaction 2
// creates the node of a lock, whose data are 2.
class Locks {
 public:
  Locks() {
    commit(session::OpenTxn{});
    create("/lock", "2");
  }

  void create(const std::string& path, const std::string& data = "") {
    commit(znode::Txn(znode::CreateTxn{path, {}, data, {}, {}}));
  }
  void remove(const std::string& path) { commit(znode::Txn(znode::DeleteTxn{path})); }
  void set(const std::string& path, const std::string& data, std::int32_t version) {
    commit(znode::Txn(znode::SetTxn{path, data, version, false, {}}));
  }

  // These return the name of the violated invariant; empty if none is.
  std::string acquired(const LockHold& hold) {
    return broken([&] { resource_.on_acquired(hold); });
  }
  std::string used(const LockHold& hold) {
    std::string refused;
    const std::string violation = broken([&] { refused = resource_.use(hold) ? "" : "refused"; });
    return violation.empty() ? refused : violation;
  }
  void release(const LockHold& hold) { resource_.on_released(hold); }

 private:
  template <typename Body>
  void commit(const Body& body) {
    wire::Bytes bytes;
    const wire::SessionId session{last_ == 0 ? 0 : zxid(1).bits()};
    session::encode(session::Transaction{session, {}, 0, 0, body}, wire::newest_forms, bytes);
    model_.commit(
        zab::Txn::after({}, zxid(++last_), std::make_shared<const wire::Bytes>(std::move(bytes))));
  }
  template <typename Do>
  static std::string broken(const Do& act) {
    try {
      act();
      return "";
    } catch (const sim::Violation& violation) {
      return violation.invariant;
    }
  }

  sim::Model model_;
  sim::FencedResource resource_{model_};
  std::uint32_t last_ = 0;
};

// The node `path` was created by transaction `czxid`, and its turn was told at `since`.
LockHold hold(const std::string& path, std::uint32_t czxid, std::uint32_t since,
              HoldKind kind = HoldKind::alone) {
  return {czxid, "/lock", kind, path, zxid(czxid), zxid(czxid), zxid(since)};
}

Locks with_nodes() {
  Locks locks;
  locks.create("/lock/a");  // 3
  locks.create("/lock/b");  // 4
  locks.create("/lock/c");  // 5
  return locks;
}

}  // namespace

TEST_CASE("two nodes that exist do not hold the lock at the same time") {
  Locks locks = with_nodes();
  CHECK(locks.acquired(hold("/lock/a", 3, 3)) == "");
  CHECK(locks.acquired(hold("/lock/b", 4, 4)) == "lock");

  // In the other order.
  Locks reversed = with_nodes();
  CHECK(reversed.acquired(hold("/lock/b", 4, 4)) == "");
  CHECK(reversed.acquired(hold("/lock/a", 3, 3)) == "lock");
}

TEST_CASE("nobody holds a lock without its node") {
  Locks locks = with_nodes();
  CHECK(locks.acquired(hold("/lock/x", 3, 3)) == "lock");
  CHECK(locks.acquired(hold("/lock/a", 4, 4)) == "lock");
}

TEST_CASE("the lock is free after its holder released it") {
  Locks locks = with_nodes();
  CHECK(locks.acquired(hold("/lock/a", 3, 3)) == "");
  locks.release(hold("/lock/a", 3, 3));
  CHECK(locks.acquired(hold("/lock/b", 4, 4)) == "");
}

TEST_CASE("the lock is free after the deletion of its holder's node, and not before") {
  Locks locks = with_nodes();
  CHECK(locks.acquired(hold("/lock/a", 3, 3)) == "");
  locks.remove("/lock/a");  // 6
  CHECK(locks.acquired(hold("/lock/b", 4, 6)) == "");

  Locks early = with_nodes();
  CHECK(early.acquired(hold("/lock/a", 3, 3)) == "");
  early.remove("/lock/a");
  CHECK(early.acquired(hold("/lock/b", 4, 5)) == "lock");
}

TEST_CASE("readers hold a lock together, and not with a writer") {
  Locks locks = with_nodes();
  CHECK(locks.acquired(hold("/lock/a", 3, 3, HoldKind::shared)) == "");
  CHECK(locks.acquired(hold("/lock/b", 4, 4, HoldKind::shared)) == "");
  CHECK(locks.acquired(hold("/lock/c", 5, 5)) == "lock");
}

TEST_CASE("a semaphore has as many holders as its limit, however they are reported") {
  Locks locks = with_nodes();
  CHECK(locks.acquired(hold("/lock/b", 4, 4, HoldKind::place)) == "");
  CHECK(locks.acquired(hold("/lock/c", 5, 5, HoldKind::place)) == "");
  CHECK(locks.acquired(hold("/lock/a", 3, 3, HoldKind::place)) == "lock");
}

TEST_CASE("the limit of a semaphore may change between the creation of a node and its turn") {
  Locks locks = with_nodes();
  locks.set("/lock", "1", 1);  // 6
  locks.create("/lock/d");     // 7
  CHECK(locks.acquired(hold("/lock/a", 3, 3, HoldKind::place)) == "");
  CHECK(locks.acquired(hold("/lock/b", 4, 7, HoldKind::place)) == "");

  Locks later = with_nodes();
  later.set("/lock", "1", 1);
  later.create("/lock/d");
  CHECK(later.acquired(hold("/lock/a", 3, 3, HoldKind::place)) == "");
  CHECK(later.acquired(hold("/lock/d", 7, 7, HoldKind::place)) == "lock");
}

TEST_CASE("a token is refused after a greater one, except that of the holder") {
  const LockHold first = hold("/lock/a", 3, 3);
  const LockHold second = hold("/lock/b", 4, 6);
  Locks locks = with_nodes();
  CHECK(locks.acquired(first) == "");
  CHECK(locks.used(first) == "");
  locks.remove("/lock/a");
  CHECK(locks.acquired(second) == "");
  CHECK(locks.used(first) == "");
  CHECK(locks.used(second) == "");
  CHECK(locks.used(second) == "");
  CHECK(locks.used(first) == "refused");

  // Here the new holder has a smaller token than the one before: a violation.
  Locks inverted = with_nodes();
  const LockHold later = hold("/lock/b", 4, 4);
  const LockHold smaller = hold("/lock/a", 3, 6);
  CHECK(inverted.acquired(later) == "");
  CHECK(inverted.used(later) == "");
  inverted.remove("/lock/b");
  CHECK(inverted.acquired(smaller) == "");
  CHECK(inverted.used(smaller) == "fencing");
  inverted.release(smaller);
  CHECK(inverted.used(smaller) == "refused");
}

TEST_CASE("the tokens of readers are compared only with those of writers") {
  Locks locks = with_nodes();
  const LockHold reader = hold("/lock/a", 3, 3, HoldKind::shared);
  const LockHold other = hold("/lock/b", 4, 4, HoldKind::shared);
  CHECK(locks.acquired(reader) == "");
  CHECK(locks.acquired(other) == "");
  CHECK(locks.used(other) == "");
  CHECK(locks.used(reader) == "");
  locks.remove("/lock/a");
  locks.remove("/lock/b");  // 7
  const LockHold writer = hold("/lock/c", 5, 7);
  CHECK(locks.acquired(writer) == "");
  CHECK(locks.used(writer) == "");
  CHECK(locks.used(reader) == "refused");
}
