#include "server/metrics/page.h"

#include <array>

#include "server/metrics/families.h"
#include "wire/zxid.h"

namespace server {
namespace {

using prometheus::MetricType;

void add_server(const Readings& now, Families& out) {
  const Status& status = now.status;
  out.gauge("build_info", "Always 1; the labels say what runs, and as whom.")
      .is(1, {{"version", status.version}, {"server", std::to_string(status.id)}});
  out.gauge("role", "1 for what this server is to its ensemble now, 0 for the rest.");
  for (const wire::Role role : {wire::Role::leader, wire::Role::follower, wire::Role::observer,
                                wire::Role::looking, wire::Role::standalone}) {
    out.is(status.role == role, {{"role", std::string(wire::name(role))}});
  }
  out.gauge("serving", "1 while this server answers reads and writes.").is(status.serving);
  out.gauge("leader_id", "The id of the server that is followed; 0 while there is none.")
      .is(status.leader);
  out.gauge("damaged", "1 while the log has lost something and this server does not vote.")
      .is(status.damaged);
}

void add_protocol(const Readings& now, Families& out) {
  out.gauge("epoch", "The epoch whose history this server has adopted.").is(now.status.epoch.value);
  out.gauge("accepted_epoch", "The last epoch that this server has promised to follow.")
      .is(now.accepted_epoch.value);
  out.gauge("level", "The level of the ensemble: which forms its servers write.")
      .is(now.status.level.value);
  const std::array points{std::pair{"proposed", now.proposed},
                          std::pair{"committed", now.committed},
                          std::pair{"applied", now.status.zxid}};
  out.gauge("zxid_epoch", "The epoch of the last transaction that has come so far here.");
  for (const auto& [point, zxid] : points) out.is(zxid.epoch.value, {{"point", point}});
  out.gauge("zxid_counter", "Its number within that epoch.");
  for (const auto& [point, zxid] : points) out.is(zxid.counter, {{"point", point}});
  out.gauge("outstanding_proposals", "Transactions proposed and not known to be committed here.")
      .is(now.outstanding_proposals);
  out.gauge("lag_transactions", "Transactions in this server's history and not applied yet.")
      .is(now.status.lag);
  out.counter("proposals_total", "Transactions that this server proposed as the leader.")
      .is(now.leader.proposed);
  out.counter("applied_total", "Transactions that this server has applied.")
      .is(now.replica.applied);
  out.histogram("commit_duration_seconds",
                "On the leader: from a transaction's proposal to its application.")
      .is(now.leader.commit);
  out.counter("elections_total", "Times that this server began to look for a leader.")
      .is(now.driver.elections);
  out.counter("without_leader_seconds_total", "Time in which this server did not serve.")
      .is(now.unserved_seconds);
  out.histogram("without_leader_duration_seconds",
                "How long each time without a leader was, once it was over.")
      .is(now.outages);
  out.gauge("clock_offset_seconds", "How far this machine's clock is ahead of the ensemble's time.")
      .is(static_cast<double>(now.clock_offset_ms) / 1000);
  out.counter("clock_jumps_total", "Times that the time for transactions jumped at this server.")
      .is(now.clock_jumps);
  out.counter("loop_turns_total", "Batches of events that the protocol took.").is(now.driver.turns);
  out.counter("loop_events_total", "Events that the protocol took.").is(now.driver.events);
  out.gauge("queue_length", "What waits in a queue of this server.");
  for (const Readings::Queue& queue : now.queues) out.is(queue.length, {{"queue", queue.name}});
  out.gauge("held_bytes", "Bytes of other servers' commands that this leader holds.")
      .is(now.held_bytes);
  out.gauge("held_limit_bytes", "The limit of those bytes.").is(now.held_bytes_max);
  out.gauge("planned_bytes", "Bytes of transactions that this leader proposed, not applied here.")
      .is(now.outstanding_bytes);
  out.gauge("planned_limit_bytes", "The limit of those bytes.").is(now.outstanding_bytes_max);
  out.counter("commands_overloaded_total", "Commands refused by this leader for lack of memory.")
      .is(now.leader.overloaded);
}

void add_peers(const Readings& now, Families& out) {
  const auto each = [&](const auto& value) {
    for (const Readings::Peer& peer : now.peers) {
      out.is(value(peer), {{"peer", std::to_string(peer.id)}});
    }
  };
  using Peer = Readings::Peer;
  out.gauge("peer_connected", "1 while the link to that server is up.");
  each([](const Peer& peer) { return peer.connected; });
  out.counter("peer_links_total", "Links that were established with that server.");
  each([](const Peer& peer) { return peer.link.established; });
  out.counter("peer_received_frames_total", "Frames that came from that server.");
  each([](const Peer& peer) { return peer.link.in.frames; });
  out.counter("peer_received_bytes_total", "Bytes that came from that server.");
  each([](const Peer& peer) { return peer.link.in.bytes; });
  out.counter("peer_sent_frames_total", "Frames that were queued for that server.");
  each([](const Peer& peer) { return peer.link.out.frames; });
  out.counter("peer_sent_bytes_total", "Bytes that were queued for that server.");
  each([](const Peer& peer) { return peer.link.out.bytes; });
  out.gauge("peer_queued_bytes", "Bytes that the link to that server has not taken yet.");
  each([](const Peer& peer) { return peer.queued_bytes; });
  out.counter("peer_too_large_total", "Messages for that server that are larger than a frame.");
  each([](const Peer& peer) { return peer.link.too_large; });
  const bool has_port = !now.peers.empty();
  out.counter("peer_port_accepted_total", "Connections to the peer port.");
  if (has_port) out.is(now.peer_port.accepted);
  out.counter("peer_port_refused_total", "Connections to the peer port that led to no link.");
  if (!has_port) return;
  out.is(now.peer_port.no_place, {{"reason", "no_place"}})
      .is(now.peer_port.displaced, {{"reason", "displaced"}})
      .is(now.peer_port.refused, {{"reason", "refused"}});
}

void add_state(const Readings& now, Families& out) {
  out.gauge("tree_nodes", "Znodes, the initial four included.").is(now.status.nodes);
  out.gauge("tree_data_bytes", "Bytes of data in all znodes.").is(now.tree_data_bytes);
  out.gauge("state_bytes", "Memory that the tree and the sessions take, about.")
      .is(now.state_bytes);
  out.gauge("state_limit_bytes", "The limit of state_bytes; growth beyond it is refused.")
      .is(now.state_bytes_max);
  out.gauge("tree_ephemerals", "Ephemeral znodes.").is(now.ephemerals);
  out.gauge("sessions", "Open sessions of the whole ensemble.").is(now.status.sessions);
  out.gauge("sessions_limit", "The limit of sessions, maxSessions; 0: there is none.")
      .is(now.sessions_max);
  out.counter("sessions_total", "Sessions of the ensemble by what happened to them.")
      .is(now.replica.sessions_opened, {{"event", "opened"}})
      .is(now.replica.sessions_moved, {{"event", "moved"}})
      .is(now.replica.sessions_closed, {{"event", "closed"}})
      .is(now.replica.sessions_expired, {{"event", "expired"}});
  out.gauge("watches", "Watches set over this server.").is(now.status.watches);
}

void add_clients(const Readings& now, Families& out) {
  out.gauge("client_connections", "WebSocket connections of clients.").is(now.status.connections);
  out.gauge("client_connections_limit", "The limit of client_connections; 0: there is none.")
      .is(now.connections_max);
  out.counter("client_accepted_total", "Connections to the web port, of HTTP too.")
      .is(now.port.accepted);
  out.counter("client_refused_total",
              "Connections beyond maxCnxns or maxClientCnxns, which were told so.")
      .is(now.port.refused);
  out.counter("client_too_slow_total",
              "Clients that were closed since they did not take what was sent.")
      .is(now.port.too_slow);
  out.counter("client_too_large_total",
              "Frames that were refused for their length, or for the memory that they need.")
      .is(now.port.too_large);
  out.counter("client_closed_total", "Connections to the web port that were closed, by reason.")
      .is(now.port.silent, {{"reason", "silent"}})
      .is(now.port.slow_heads, {{"reason", "slow_request"}})
      .is(now.port.displaced, {{"reason", "displaced"}});
  out.counter("client_received_frames_total", "Messages that came from clients.")
      .is(now.port.in.frames);
  out.counter("client_received_bytes_total", "Bytes of those messages.").is(now.port.in.bytes);
  out.counter("client_sent_frames_total", "Messages that were sent to clients.")
      .is(now.port.out.frames);
  out.counter("client_sent_bytes_total", "Bytes of those messages.").is(now.port.out.bytes);
  out.gauge("client_queued_bytes", "Bytes that clients have not taken yet.").is(now.queued_bytes);
  out.gauge("client_outstanding_requests", "Requests that are not answered yet.")
      .is(now.outstanding_requests);
  out.counter("client_throttled_total",
              "Times that a connection was not read from, for too much of it was outstanding.")
      .is(now.requests.pauses);
  out.counter("client_turns_waited_total",
              "Times that a client waited for its turn, because its reads took long.")
      .is(now.requests.turns_waited);
  out.counter("client_indexed_children_total",
              "Children that were looked at to index folders by numbers, for turns and lists.")
      .is(now.indexed_children);
  out.gauge("client_throttled_connections", "Connections that are not read from now.")
      .is(now.paused_connections);
  out.counter("client_watch_events_total", "Events of watches that were said to clients.")
      .is(now.requests.watch_events);
}

void add_budgets(const Readings& now, Families& out) {
  out.gauge("memory_limit_bytes", "Memory that this server may use; the budgets are parts of it.")
      .is(now.memory_limit_bytes);
  out.gauge("budget_used_bytes", "Bytes that clients use of each budget of this server.");
  for (const auto& budget : now.budgets) out.is(budget.used_bytes, {{"budget", budget.name}});
  out.gauge("budget_limit_bytes", "The limit of each budget of this server.");
  for (const auto& budget : now.budgets) out.is(budget.limit_bytes, {{"budget", budget.name}});
  out.counter("budget_measures_total", "What was done since a budget had no room.");
  for (const auto& budget : now.budgets) {
    for (const auto& measure : budget.measures) {
      out.is(measure.count, {{"budget", budget.name}, {"measure", measure.name}});
    }
  }
}

// Every code is shown from the start: Prometheus computes a rate only from samples that it has seen
// before.
void add_requests(const Readings& now, Families& out) {
  out.counter("client_requests_total", "Requests by operation.");
  for (std::size_t index = 0; index < operations; ++index) {
    out.is(now.requests.by_operation[index], {{"op", operation_name(index)}});
  }
  out.is(now.requests.malformed, {{"op", "malformed"}});
  out.counter("client_errors_total", "Requests that were refused, by the error's name.");
  constexpr int least_code = -2000;
  for (int code = -1; code > least_code; --code) {
    if (!wire::is_error_code(code)) continue;
    const auto error = static_cast<wire::ErrorCode>(code);
    const auto counted = now.requests.errors.find(error);
    out.is(counted == now.requests.errors.end() ? 0 : counted->second,
           {{"error", std::string(wire::name(error))}});
  }
  const std::array kinds{std::pair{Effort::local, "local"}, std::pair{Effort::quorum, "quorum"},
                         std::pair{Effort::write, "write"}};
  out.histogram("client_request_duration_seconds",
                "From the arrival of a request's frame until its reply is queued.");
  for (const auto& [effort, kind] : kinds) {
    out.is(now.requests.took[static_cast<std::size_t>(effort)], {{"kind", kind}});
  }
}

void add_disk(const Readings& now, Families& out) {
  const Status& status = now.status;
  out.counter("log_writes_total", "Writes of the log, each with one sync.").is(now.log.writes);
  out.counter("log_written_bytes_total", "Bytes of records in those writes.").is(now.log.bytes);
  out.histogram("log_sync_duration_seconds", "How long a write of the log and its sync took.")
      .is(now.log.sync);
  out.gauge("log_bytes", "Bytes of the log's files.").is(status.log_bytes);
  out.gauge("log_segments", "Files of the log.").is(status.log_segments);
  out.gauge("disk_free_bytes", "Bytes that this server may still take of the log's file system.")
      .is(status.disk_free_bytes);
  out.gauge("disk_size_bytes", "The size of that file system.").is(status.disk_size_bytes);
}

void add_checkpoint(const CheckpointReport& now, Families& out) {
  out.counter("checkpoints_total", "Checkpoints taken.").is(now.taken);
  out.counter("checkpoint_failures_total", "Checkpoints that could not be written.").is(now.failed);
  out.gauge("checkpoint_zxid_counter", "The counter of the last checkpoint's zxid.")
      .is(now.at.counter);
  out.gauge("checkpoint_transactions_behind", "Transactions that a restart would replay.")
      .is(now.since);
  out.gauge("checkpoint_records", "What had changed when the last checkpoint was taken.")
      .is(now.records);
  out.gauge("checkpoint_duration_seconds",
            "How long the last checkpoint took, from its first node.")
      .is(std::chrono::duration<double>(now.took).count());
  out.gauge("checkpoint_bytes", "Bytes of the checkpoint's file.").is(now.bytes);
}

void add_process(const ProcessReadings& now, Families& out) {
  out.process(MetricType::Gauge, "resident_memory_bytes", "Memory of this process in RAM.")
      .is(now.resident_bytes);
  out.gauge("memory_allocated_bytes", "Memory that the program uses, as its allocator counts.")
      .is(now.allocated_bytes);
  out.gauge("memory_active_bytes", "Memory in pages of which the program uses a part.")
      .is(now.allocator_active_bytes);
  out.process(MetricType::Gauge, "virtual_memory_bytes", "Addresses that this process uses.")
      .is(now.virtual_bytes);
  out.process(MetricType::Gauge, "open_fds", "Files and sockets that are open.").is(now.open_files);
  out.process(MetricType::Gauge, "max_fds", "How many may be open: ulimit -n.")
      .is(now.open_files_max);
  out.process(MetricType::Gauge, "threads", "Threads of this process.").is(now.threads);
  out.process(MetricType::Gauge, "start_time_seconds",
              "When this process began, in seconds since the Unix epoch.")
      .is(now.start_seconds);
  out.process(MetricType::Counter, "cpu_seconds_total", "Processor time of this process.")
      .is(now.cpu_seconds);
}

}  // namespace

std::string metrics_page(const Readings& readings) {
  Families out;
  add_server(readings, out);
  add_protocol(readings, out);
  add_peers(readings, out);
  add_state(readings, out);
  add_clients(readings, out);
  add_budgets(readings, out);
  add_requests(readings, out);
  add_disk(readings, out);
  add_checkpoint(readings.status.checkpoint, out);
  add_process(readings.process, out);
  out.counter("operator_requests_total", "Requests for commands of operators, by command.");
  for (const Readings::CommandCount& each : readings.operator_requests) {
    out.is(each.requests, {{"command", each.command}});
  }
  out.counter("omitted_lines_total", "Lines that the server's messages omit, see operations.md.")
      .is(readings.omitted_lines);
  out.counter("log_lines_dropped_total",
              "Lines that could not be written to standard output, or not soon enough.")
      .is(readings.dropped_lines);
  return out.text();
}

}  // namespace server
