#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "tests/sim/service/user.h"
#include "tests/sim/service/world.h"
#include "tests/sim/violation.h"

// The limits of a run, and the checks that budgets are kept and given back.
namespace sim {
namespace {

using server::Budget;
using server::Measure;

constexpr Budget all_budgets[] = {Budget::unfinished, Budget::requests, Budget::waiting,
                                  Budget::watches};

server::BudgetTable table_of(const SmallLimits& small) {
  return server::budget_table(small.memory, server::escapes_factor * small.frame_bytes);
}

}  // namespace

// Deadlines are some tens of ticks.
void World::use_small_limits() {
  using std::chrono::milliseconds;
  client_limits_.first_frame_timeout = milliseconds(40 * tick_ms);
  client_limits_.message_timeout = milliseconds(8 * tick_ms);
  client_limits_.message_interval = milliseconds(4 * tick_ms);
  client_limits_.progress_timeout = milliseconds(60 * tick_ms);
  client_limits_.drain_timeout = milliseconds(20 * tick_ms);
  client_limits_.close_timeout = milliseconds(10 * tick_ms);
  client_limits_.first_frame_bytes_max = 4 * 1024;
  client_limits_.frame_bytes_max = options_.small.frame_bytes;
  client_limits_.short_message_bytes = 1024;
  client_limits_.message_interval_bytes = 256;
  const server::BudgetTable table = table_of(options_.small);
  const std::size_t waiting = table[static_cast<std::size_t>(Budget::waiting)].connection;
  client_limits_.queued_bytes_max = waiting / 3 * 4 + waiting;
  oracle_.bound({options_.small.data_bytes, options_.small.frame_bytes, options_.small.multi_ops,
                 std::min(options_.small.reply_bytes, waiting)});
}

void World::set_limits(Server& one) {
  const SmallLimits& small = options_.small;
  one.opened.clear();
  one.session_addresses.clear();
  if (!small.are_on()) {
    one.ledger = server::Ledger::make(server::usual_memory_limit,
                                      server::budget_table(server::usual_memory_limit));
    return;
  }
  one.ledger = server::Ledger::make(small.memory, table_of(small));
  one.options.max_data_bytes = small.data_bytes;
  one.options.max_reply_bytes = small.reply_bytes;
  one.options.max_multi_ops = small.multi_ops;
  one.options.max_watches = small.watches;
  one.options.max_client_sessions = small.address_sessions;
  one.options.client_sessions_per_second = small.sessions_per_second;
  one.options.held_bytes_max = server::held_share(small.memory);
  one.options.outstanding_commands.bytes = server::outstanding_share(small.memory);
}

// The commands of a server's clients that are not applied or refused yet.
std::size_t World::commands_of(const Server& one) {
  server::Readings readings;
  one.pipeline->read(readings);
  const auto queue = std::ranges::find(readings.queues, std::string_view("commands"),
                                       &server::Readings::Queue::name);
  return queue->length;
}

// At no time a budget is above its limit, but for less than a step for each connection, and for
// each command whose client has left. Of what waits, small queues are never refused, and the memory
// of one queue may double while the limit is not reached.
void World::check_budgets(std::size_t server) {
  Server& one = servers_[server];
  for (const Budget budget : all_budgets) {
    std::size_t most = one.ledger->limits(budget).server;
    most += one.lines.size() * server::Holding::step;
    if (budget == Budget::waiting) {
      most += one.lines.size() * server::small_queue_bytes + 2 * client_limits_.queued_bytes_max;
    }
    const std::size_t used = one.ledger->server(budget).used();
    if (used <= most) continue;
    if (budget == Budget::requests && used <= most + commands_of(one) * server::Holding::step)
      continue;
    throw Violation("budgets", "server " + std::to_string(server + 1) + " has " +
                                   std::to_string(used) + " bytes of " + server::name(budget) +
                                   ", and its limit is " +
                                   std::to_string(one.ledger->limits(budget).server));
  }
}

// An address opens no more sessions at a server than allowed, and no faster. A session that is
// resumed counts too, but is never refused: so the number is checked of users that resume none.
void World::on_connected(const Line& line, const wire::ConnectedReply& reply) {
  if (!options_.small.are_on()) return;
  Server& one = servers_[line.server()];
  const std::string address = line.remote_address();
  one.session_addresses[reply.session] = address;
  if (reply.resumed) return;
  std::vector<Time>& opened = one.opened[address];
  opened.push_back(now());
  const std::uint64_t rate = options_.small.sessions_per_second;
  for (std::size_t i = 0; i < opened.size(); ++i) {
    // The first one of them was counted when it was asked for: about a second before its reply.
    const std::uint64_t seconds = (now() - opened[i]) * tick_ms / (tick * 1000) + 2;
    if (opened.size() - i <= rate * (server::AddressSessions::burst_seconds + seconds)) continue;
    throw Violation("budgets", "address " + address + " opens sessions too fast");
  }
  std::size_t open = 0;
  for (const auto& [session, its] : one.session_addresses) {
    const session::Session* known = one.pipeline->replica().service().sessions().find(session);
    open += its == address && known != nullptr && known->owner.server == one.options.id ? 1 : 0;
  }
  if (!line.user().is_flooding() || open <= options_.small.address_sessions) return;
  throw Violation("budgets", "address " + address + " has " + std::to_string(open) + " sessions");
}

// Once its clients are gone, nothing is charged to a server, but for commands that are under way.
void World::check_given_back() {
  for (Server& one : servers_) {
    if (!one.pipeline) continue;
    for (const auto& weak : one.lines) {
      const auto line = weak.lock();
      if (!line) continue;
      line->protocol_.reset();
      if (!std::exchange(line->pipeline_informed_, true)) one.pipeline->closed(*line);
    }
    for (std::uint64_t i = 0; i <= session::Turns::unused_ticks + 1; ++i) {
      one.pipeline->replica().service().tick_turns({});
    }
    for (const Budget budget : all_budgets) {
      const std::size_t used = one.ledger->server(budget).used();
      if (used == 0 || (budget == Budget::requests && commands_of(one) > 0)) continue;
      throw Violation("budgets", std::to_string(used) + " bytes of " + server::name(budget) +
                                     " are charged to a server without clients");
    }
    if (one.ledger->addresses() == 0 || commands_of(one) > 0) continue;
    throw Violation("budgets", "a server without clients has accounts of addresses");
  }
}

// How often the limits were met, by the servers that are up.
void World::count_measures() {
  Totals& counts = cluster_->counts();
  for (const Server& one : servers_) {
    const auto count = [&](Budget budget, Measure measure, Rare rare) {
      if (one.ledger->counted(budget, measure) > 0) counts.count(rare);
    };
    count(Budget::unfinished, Measure::not_read, Rare::message_not_read);
    count(Budget::unfinished, Measure::closed, Rare::message_late);
    count(Budget::requests, Measure::not_read, Rare::requests_not_read);
    count(Budget::requests, Measure::overloaded, Rare::request_refused);
    count(Budget::waiting, Measure::not_read, Rare::replies_not_read);
    count(Budget::waiting, Measure::overloaded, Rare::reply_refused);
    count(Budget::waiting, Measure::closed, Rare::client_too_slow);
    count(Budget::watches, Measure::refused, Rare::watch_refused);
  }
}

}  // namespace sim
