#include "server/pipeline/planner.h"

#include <chrono>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "server/budgets/account.h"
#include "server/peers/peer_message.h"

namespace {

using server::OrderingOutcomes;
using session::Owner;

constexpr Owner owner{1, 1};

struct World : server::Environment {
  session::Service service;
  server::EnsembleClock clock{{}, *this};
  server::Planner planner{
      std::chrono::milliseconds(1000), {server::unlimited, {}}, service, clock, *this};
  std::uint64_t count = 0;

  wire::TimeMs wall_clock() override { return 1000; }
  void post(zab::Event) override {}
  void send(zab::ServerId, const server::PeerMessage&) override {}
  void call_soon() override {}
  std::vector<server::ServerLevels> server_levels() override { return {}; }
  void level_changed(wire::Level) override {}
  std::string new_password() override { return {}; }

  session::Applied apply(const wire::Bytes& bytes) {
    const auto applied = service.apply({{1}, ++count}, bytes);
    REQUIRE(applied.has_value());
    return *applied;
  }
  session::Applied write(const session::Transaction& transaction) {
    wire::Bytes bytes;
    encode(transaction, wire::newest_forms, bytes);
    return apply(bytes);
  }
  // Applies what is proposed, and plans what is held, until nothing is left.
  std::vector<session::Applied> commit(OrderingOutcomes out) {
    std::vector<session::Applied> all;
    while (!out.empty()) {
      const OrderingOutcomes proposed = std::exchange(out, {});
      for (const server::OrderingOutcome& outcome : proposed) {
        const auto& submit = std::get<zab::Submit>(std::get<zab::Event>(outcome));
        all.push_back(apply(*submit.payload));
        planner.applied(all.back());
        while (planner.plan_next(out)) {
        }
      }
    }
    return all;
  }
};

// An earlier program allowed that.
TEST_CASE("the leader ends a session with too many ephemeral nodes part by part") {
  World world;
  const auto id = world.write({{}, owner, 1, 0, session::OpenTxn{{}, 4000, 0}}).session;
  znode::MultiTxn multi;
  for (std::size_t i = 0; i < 2 * znode::deleted_nodes_max + 1; ++i) {
    multi.ops.emplace_back(
        znode::CreateTxn{"/" + std::to_string(i), {}, "", znode::Lifetime::of_session(id), {}});
  }
  world.write({id, owner, 2, 0, znode::Txn(std::move(multi))});
  world.planner.begin();

  OrderingOutcomes out;
  for (int ticks = 0; out.empty() && ticks < 100; ++ticks) world.planner.tick(out);
  const auto all = world.commit(std::move(out));
  using Change = session::Applied::SessionChange;
  REQUIRE(all.size() == 4);
  CHECK(all.front().session_change == Change::moved);
  CHECK(all.back().session_change == Change::expired);
  CHECK(world.service.tree().ephemeral_count(id) == 0);
  server::Readings readings;
  world.planner.read(readings);
  for (const server::Readings::Queue& queue : readings.queues) {
    CAPTURE(queue.name);
    CHECK(queue.length == 0);
  }
  // Nothing expires again.
  for (int ticks = 0; ticks < 100; ++ticks) world.planner.tick(out);
  CHECK(out.empty());
}

TEST_CASE("an operator ends a session whose client is alive") {
  World world;
  const auto id = world.write({{}, owner, 1, 0, session::OpenTxn{{}, 4000, 0}}).session;
  const auto other = world.write({{}, owner, 2, 0, session::OpenTxn{{}, 4000, 0}}).session;
  world.planner.begin();
  OrderingOutcomes out;
  // While another plan of the session is outstanding, the end is held, and touches do not drop it.
  world.planner.plan(
      {id, owner, 3, wire::CreateRequest{"/a", {}, true, false, false, false, {}, {}}}, out);
  world.planner.end_session(id, out);
  world.planner.touch(id);
  world.planner.end_session(id, out);
  const auto all = world.commit(std::move(out));
  using Change = session::Applied::SessionChange;
  REQUIRE(all.size() == 2);
  CHECK(all.back().session == id);
  CHECK(all.back().session_change == Change::expired);
  CHECK(world.service.sessions().find(other) != nullptr);
  CHECK(world.service.tree().ephemeral_count(id) == 0);
  // It has ended, so nothing is planned.
  world.planner.end_session(id, out);
  CHECK(out.empty());
  CHECK(!world.planner.pop_refusal());
}

}  // namespace
