#include "server/admin/status_reader.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "server/admin/pages.h"
#include "server/admin/words.h"
#include "server/logging/limited_log.h"
#include "server/logging/process_log.h"
#include "server/metrics/page.h"
#include "wire/zxid.h"

namespace server {
namespace {

Readiness read_readiness(const StatusParts& parts) {
  const std::optional<Halt>& halt = parts.pipeline.replica().halt();
  if (parts.pipeline.role_status().serving) return {true, {}};
  if (halt) {
    return {false, "transaction " + wire::to_string(halt->zxid) +
                       " cannot be applied: " + halt->why + ". " + halt->help};
  }
  const bool is_damaged = parts.driver.peer().state().durable.damaged.has_value();
  return {false, is_damaged ? "the log is damaged, and there is no leader to repair it from"
                            : "this server follows no leader"};
}

void add_peers(const StatusParts& parts, Status& status) {
  const zab::State& state = parts.driver.peer().state();
  for (const AdminOptions::Server& other : parts.options.other_servers) {
    const bool connected = state.links.contains(zab::ServerId{other.id});
    status.peers.push_back({other.id, other.address, connected, other.observer, {}, {}});
    if (const auto program = parts.links.program_of(zab::ServerId{other.id})) {
      status.peers.back().program = program->program;
      status.peers.back().levels = program->levels;
    }
  }
}

void add_disk(const StatusParts& parts, Status& status) {
  const DiskReadings disk = parts.disk.read();
  status.log_bytes = disk.log_bytes;
  status.log_segments = disk.log_segments;
  status.disk_free_bytes = disk.free_bytes;
  status.disk_size_bytes = disk.size_bytes;
}

void add_budgets(const Ledger& ledger, Readings& now) {
  now.memory_limit_bytes = ledger.memory_limit();
  for (std::size_t i = 0; i < budgets; ++i) {
    const auto budget = static_cast<Budget>(i);
    Readings::Budget& reading = now.budgets.emplace_back();
    reading.name = name(budget);
    reading.used_bytes = ledger.server(budget).used();
    reading.limit_bytes = ledger.server(budget).limit();
    for (std::size_t j = 0; j < measures; ++j) {
      const auto measure = static_cast<Measure>(j);
      reading.measures.push_back({name(measure), ledger.counted(budget, measure)});
    }
  }
}

}  // namespace

Status read_status(const StatusParts& parts) {
  const zab::State& state = parts.driver.peer().state();
  const zab::RoleStatus& role_status = parts.pipeline.role_status();
  const session::Service& service = parts.pipeline.replica().service();
  Status status;
  status.id = parts.options.id;
  status.role = parts.pipeline.role();
  status.serving = role_status.serving;
  status.leader = role_status.leader.value;
  status.epoch = state.durable.current_epoch;
  status.zxid = service.applied();
  add_peers(parts, status);
  status.sessions = service.sessions().size();
  status.connections = parts.pipeline.connections();
  status.nodes = service.tree().size();
  status.watches = service.watches().size();
  const auto unapplied = state.durable.history.after(service.applied());
  status.lag = static_cast<std::uint64_t>(state.durable.history.end() - unapplied);
  status.clock_offset_ms = parts.pipeline.clock().offset();
  status.data_dir = parts.options.data_dir;
  status.checkpoint = parts.checkpointer.report();
  add_disk(parts, status);
  status.damaged = state.durable.damaged.has_value();
  if (state.durable.founded) status.cluster = to_string(state.durable.cluster);
  status.level = service.level();
  status.levels = service.known_levels();
  status.disk_level = parts.checkpointer.level_on_disk();
  status.version = parts.version;
  return status;
}

std::string status_text(const StatusParts& parts) {
  std::string text = status_answer(read_status(parts)).body;
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

Readings read_metrics(const StatusParts& parts, const AdminCommands& commands) {
  const zab::State& state = parts.driver.peer().state();
  const zab::History& history = state.durable.history;
  const session::Service& service = parts.pipeline.replica().service();
  const Availability& availability = parts.driver.availability();
  Readings now;
  now.status = read_status(parts);
  now.process = read_process();
  now.accepted_epoch = state.durable.accepted_epoch;
  now.proposed = history.last().zxid;
  now.committed = state.last_committed;
  now.outstanding_proposals =
      static_cast<std::uint64_t>(history.end() - history.after(state.last_committed));
  now.unserved_seconds =
      std::chrono::duration<double>(availability.unserved(SteadyClock::now())).count();
  now.outages = availability.outages();
  now.driver = parts.driver.counters();
  now.queues = {{"events", parts.driver.queued()}, {"log_writes", parts.log.waiting()}};
  parts.pipeline.read(now);
  for (const Status::Peer& peer : now.status.peers) {
    const zab::ServerId id{peer.id};
    now.peers.push_back(
        {peer.id, peer.connected, parts.links.queued(id), parts.links.counters(id)});
  }
  now.peer_port = parts.links.port_counters();
  now.tree_data_bytes = service.tree().at("/").subtree_bytes();
  now.state_bytes = service.memory();
  now.state_bytes_max = service.memory_max();
  now.ephemerals = service.tree().ephemeral_count();
  now.port = parts.listener.counters();
  now.connections_max = parts.listener.connections_max();
  now.operator_requests = commands.counts();
  add_budgets(parts.ledger, now);
  now.log = parts.log.counters();
  now.omitted_lines = limited_log().omitted();
  now.dropped_lines = dropped_log_lines();
  return now;
}

HttpHandlers http_handlers(const StatusParts& parts, AdminCommands given) {
  const auto commands = std::make_shared<AdminCommands>(std::move(given));
  return {
      .page =
          [parts, commands, recent = std::make_shared<RecentPages>()](std::string_view method,
                                                                      std::string_view target) {
            return page(method, target,
                        {[&] { return read_status(parts); },
                         [&] { return metrics_page(read_metrics(parts, *commands)); },
                         [&] { return read_readiness(parts); }},
                        *recent);
          },
      .command = [commands](std::string_view target,
                            AdminCommands::Done done) { commands->run(target, std::move(done)); },
      .command_refused = [commands] { commands->refused(); },
      .word =
          [parts, commands](std::string_view word) {
            return word_text(word, parts.options, [&] { return read_metrics(parts, *commands); });
          },
  };
}

}  // namespace server
