#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>
#include <variant>

#include "session/transaction.h"
#include "tests/sim/service/world.h"
#include "tests/sim/violation.h"

// The clocks of the simulated servers, and what no clock may change: the times of transactions, and
// when containers and TTL nodes are deleted.
namespace sim {
namespace {

constexpr std::int64_t epoch_ms = 1'700'000'000'000;
// A node that is due is deleted within this time.
constexpr Time delay_max = 30 * tick;

}  // namespace

wire::TimeMs World::time_at(Time when) {
  return epoch_ms + static_cast<std::int64_t>(when * tick_ms / tick);
}

wire::TimeMs World::ServerEnvironment::wall_clock() {
  return world->right_time() + world->servers_[server].clock_error;
}

server::SteadyClock::time_point World::ServerEnvironment::now() {
  constexpr std::int64_t micros = 1000 * tick_ms / static_cast<std::int64_t>(tick);
  return server::SteadyClock::time_point(
      std::chrono::microseconds(static_cast<std::int64_t>(world->now()) * micros));
}

// One clock at a time, and for less than StampClock::patience: then all servers know the right
// time.
void World::set_clock_wrong() {
  if (std::exchange(is_clock_wrong_, true)) return;
  const std::size_t server = random_.below(servers_.size());
  const auto error = std::int64_t{1} << random_.between(15, 38);  // half a minute to nine years
  servers_[server].clock_error = random_.one_in(2) ? error : -error;
  at(now() + random_.between(1, 150 * tick), [this, server] {
    servers_[server].clock_error = 0;
    is_clock_wrong_ = false;
  });
}

void World::check_time(const session::Transaction& txn) const {
  if (std::abs(txn.time - right_time()) <= tick_ms) return;
  throw Violation("time", "a transaction has the time " + std::to_string(txn.time) + " at " +
                              std::to_string(right_time()));
}

// A leader does not know how long a container was empty before it led.
void World::check_countdowns(std::size_t server, const session::Transaction& txn) const {
  const auto* tree_txn = std::get_if<znode::Txn>(&txn.body);
  const auto* reaping = tree_txn ? std::get_if<znode::DeleteManyTxn>(tree_txn) : nullptr;
  if (reaping == nullptr) return;
  const wire::TimeMs leads_for = right_time() - time_at(servers_[server].status_since);
  for (const std::string& path : reaping->paths) {
    const Znode* node = oracle_.model().find(path, oracle_.model().last());
    if (node == nullptr || !node->stat.container) continue;
    const auto kept = tick_ms * (node->creations > 0 ? options_.container_idle_ticks
                                                     : options_.container_unused_ticks);
    if (leads_for + kept / 40 + tick_ms >= kept) continue;
    throw Violation("reaping", path + " is deleted by a leader that has not seen it for long");
  }
}

// Nodes that are due are deleted within some ticks and the time of a commit.
void World::check_reaping() {
  for (const Server& one : servers_) {
    if (!one.leads || now() < one.status_since + delay_max) continue;
    const wire::TimeMs overdue = right_time() - delay_max / tick * tick_ms;
    const View view = oracle_.model().at(oracle_.model().last());
    for (const std::string& path : view.below("/")) {
      const auto due = oracle_.model().due(*view.find(path), time_at(one.status_since));
      if (due && *due < overdue) throw Violation("reaping", path + " is overdue, but exists");
    }
  }
}

}  // namespace sim
