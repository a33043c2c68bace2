#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "tests/session/world.h"

// The end of a session with more ephemeral nodes than one transaction deletes. An earlier program
// allowed such a state.
namespace session {
namespace {

using wire::ErrorCode;

constexpr std::size_t part = znode::deleted_nodes_max;
constexpr Owner owner{1, 1};

// A leader with a session that has 2.5 times as many ephemeral nodes as are possible now, and a
// replica that only applies.
struct Former {
  Service leader;
  Service replica;
  wire::SessionId session;
  std::uint64_t count = 0;
  std::vector<std::size_t> deleted;  // by each transaction

  explicit Former(wire::Level level, std::size_t name_bytes = 1) {
    if (level != wire::Level{}) write({{}, {}, 0, 0, LevelTxn{level}});
    session = write({{}, owner, 1, 0, OpenTxn{World::secret(1), 10'000, 5}}).session;
    write({session, owner, 2, 0, znode::Txn(znode::CreateTxn{"/p", {}, "", {}, {}})});
    for (std::size_t first = 0; first < 5 * part / 2; first += 500) {
      znode::MultiTxn multi;
      for (std::size_t i = first; i < first + 500; ++i) {
        const std::string path = "/p/" + std::string(name_bytes, 'n') + std::to_string(i);
        multi.ops.emplace_back(
            znode::CreateTxn{path, {}, "", znode::Lifetime::of_session(session), {}});
      }
      write({session, owner, 3, 0, znode::Txn(std::move(multi))});
    }
    deleted.clear();
    REQUIRE(leader.tree().ephemeral_count(session) == 5 * part / 2);
  }

  Applied apply(const wire::Bytes& bytes) {
    const std::size_t before = leader.tree().size();
    count += 1;
    REQUIRE(replica.apply({{1}, count}, bytes, BuildReply::no));
    const auto applied = leader.apply({{1}, count}, bytes);
    REQUIRE(applied);
    CHECK(replica.digest() == leader.digest());
    deleted.push_back(before - std::min(before, leader.tree().size()));
    return *applied;
  }
  Applied write(const Transaction& transaction) {
    wire::Bytes bytes;
    encode(transaction, wire::newest_forms, bytes);
    return apply(bytes);
  }
  // Plans the end until it is complete. Transactions are applied in groups of `outstanding`.
  Applied end(const Command& command, std::size_t outstanding) {
    std::vector<wire::Bytes> plans;
    Applied last;
    do {
      plans.push_back(*leader.plan(command, 1000));
      CHECK(plans.back().size() <= wire::transaction_bytes_max);
      if (plans.size() < outstanding && !leader.ends(session)) continue;
      for (const wire::Bytes& bytes : std::exchange(plans, {})) last = apply(bytes);
    } while (!leader.ends(session));
    return last;
  }
  ErrorCode refused(const Command& command) {
    const auto planned = leader.plan(command, 1000);
    REQUIRE_FALSE(planned);
    return planned.error().error.code;
  }
};

void check_end(wire::Level level, std::size_t outstanding, bool expires) {
  CAPTURE(level.value);
  CAPTURE(outstanding);
  CAPTURE(expires);
  using Change = Applied::SessionChange;
  Former former(level);
  if (expires) {
    const Applied last = former.end({former.session, {}, 0, CloseSession{true}}, outstanding);
    CHECK(last.session_change == Change::expired);
    CHECK(former.deleted == std::vector<std::size_t>{0, part, part, part / 2});
  } else {
    const Applied last = former.end({former.session, owner, 7, CloseSession{}}, outstanding);
    CHECK(last.session_change == Change::closed);
    CHECK(last.tag == 7);
    CHECK(last.former_owner == owner);
    CHECK(former.deleted == std::vector<std::size_t>{part, part, part / 2});
  }
  CHECK(former.leader.tree().ephemeral_count(former.session) == 0);
  CHECK(former.leader.sessions().find(former.session) == nullptr);
  CHECK(former.leader.outstanding() == 0);
}

TEST_CASE("a session with too many ephemeral nodes ends in parts, at every level") {
  for (wire::Level level = wire::known_levels.least; level <= wire::known_levels.greatest;
       level.value += 1) {
    check_end(level, 1, true);
  }
  check_end(wire::known_levels.greatest, 2, true);
  check_end(wire::known_levels.greatest, 100, false);
}

TEST_CASE("a client cannot use a session whose end has begun, also under another leader") {
  Former former(wire::known_levels.greatest);
  const Command expiry{former.session, {}, 0, CloseSession{true}};
  const Command resume{former.session, {1, 2}, 5, MoveSession{World::secret(1), 10'000, 0}};
  const wire::Bytes move = *former.leader.plan(expiry, 1000);
  CHECK(former.refused(resume) == ErrorCode::session_expired);
  const Applied moved = former.apply(move);
  CHECK(moved.session_change == Applied::SessionChange::moved);
  CHECK(moved.former_owner == owner);
  CHECK(moved.tag == 0);
  former.apply(*former.leader.plan(expiry, 1000));

  static_cast<void>(former.leader.plan(expiry, 1000));
  former.leader.forget_plans();
  CHECK(former.refused(resume) == ErrorCode::session_expired);
  CHECK(former.refused({former.session, owner, 6, create_request("/x")}) ==
        ErrorCode::session_moved);
  CHECK(former.end(expiry, 1).session_change == Applied::SessionChange::expired);
}

TEST_CASE("a part of a session's end fits into a transaction, however long the paths are") {
  Former former(wire::known_levels.greatest, 3000);
  former.end({former.session, {}, 0, CloseSession{true}}, 1);
  CHECK(former.deleted.size() > 4);
  CHECK(former.leader.tree().ephemeral_count(former.session) == 0);
}

}  // namespace
}  // namespace session
