#include "server/startup/room_options.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <boost/asio/ip/host_name.hpp>

#include "server/peers/frame.h"
#include "server/startup/file_limit.h"
#include "wire/limits.h"

namespace server {
namespace {

GateRules gate_rules(const Config& config) {
  GateRules rules{{"localhost", config.web.host}, config.origins, config.super_digest};
  for (const ServerLine& line : config.servers) {
    rules.hosts.push_back(line.peer.host);
    for (const Address& address : line.further) rules.hosts.push_back(address.host);
    rules.hosts.push_back(line.web.host);
  }
  rules.hosts.insert(rules.hosts.end(), config.hosts.begin(), config.hosts.end());
  boost::system::error_code no_name;
  if (std::string own = boost::asio::ip::host_name(no_name); !no_name && !own.empty()) {
    rules.hosts.push_back(own);
  }
  return rules;
}

// The largest message of a client, with escapes.
std::size_t message_bytes(const Config& config) {
  return escapes_factor * wire::frame_bytes_for(config.max_data_bytes);
}

}  // namespace

DataOptions data_options(const Config& config, std::string program, const znode::HashKey& key,
                         std::uint64_t memory_limit) {
  session::ChangeHistory::Bounds changes;
  changes.bytes_max = std::min(changes.bytes_max, changes_share(memory_limit));
  DataOptions options;
  options.data_dir = config.data_dir.string();
  options.log_dir = config.log_dir.string();
  options.server = zab::ServerId{config.id};
  options.service = {{config.max_watches, changes, key}, config.max_reply_bytes};
  options.log.segment_bytes = config.log_segment_bytes;
  options.log.history_bytes = config.history_bytes;
  options.log.program = std::move(program);
  return options;
}

Checkpointer::Rules checkpointer_rules(const Config& config, std::string program) {
  return {zab::ServerId{config.id}, config.checkpoint_txns, config.log_keep_bytes,
          std::move(program), frame_bytes_max - message_head_bytes_max};
}

BudgetTable budgets_of(const Config& config, std::uint64_t memory_limit) {
  return budget_table(memory_limit, message_bytes(config));
}

wire::Result<void> check_memory(const Config& config, const MemoryLimit& memory) {
  const std::uint64_t needed = message_budgets(memory.bytes, message_bytes(config));
  const std::uint64_t share = memory.bytes - state_share(memory.bytes);
  if (needed <= share) return {};
  constexpr auto mebibytes = [](std::uint64_t bytes) {
    return std::to_string((bytes + (1U << 20) - 1) >> 20) + " MiB";
  };
  return wire::Error{wire::ErrorCode::bad_arguments,
                     "maxDataBytes=" + std::to_string(config.max_data_bytes) +
                         ": messages of this size need " + mebibytes(needed) + ", and of the " +
                         mebibytes(memory.bytes) + " that this server may use (" + memory.source +
                         ") clients get " + mebibytes(share) +
                         "; lower maxDataBytes, or set memoryLimitBytes to " +
                         std::to_string(2 * needed) + " or more"};
}

PipelineOptions pipeline_options(const Config& config, const znode::HashKey& key,
                                 std::uint64_t memory_limit) {
  PipelineOptions options;
  options.hash_key = key;
  options.id = config.id;
  options.standalone = config.servers.empty();
  options.advertised = config.advertised;
  options.servers = server_ids(config);
  options.voters = options.servers;
  for (const ServerLine& line : config.servers) {
    if (line.observer) std::erase(options.voters, line.id);
  }
  options.heartbeat = config.heartbeat;
  options.container_idle = config.container_idle;
  options.container_unused = config.container_unused;
  options.min_session_timeout = config.min_session_timeout;
  options.max_session_timeout = config.max_session_timeout;
  options.max_outstanding_requests = config.max_outstanding_requests;
  options.max_watches = config.max_watches;
  options.max_multi_ops = config.max_multi_ops;
  options.max_data_bytes = config.max_data_bytes;
  options.max_reply_bytes = config.max_reply_bytes;
  options.state_bytes_max = state_share(memory_limit);
  options.held_bytes_max = held_share(memory_limit);
  options.outstanding_commands.bytes = outstanding_share(memory_limit);
  options.max_sessions = config.max_sessions;
  options.max_client_sessions = config.max_client_sessions;
  options.client_sessions_per_second = config.client_sessions_per_second;
  options.read_only_mode = config.read_only_mode;
  options.super_digest = config.super_digest;
  options.upgrade_automatically = config.upgrade_automatically.value_or(options.standalone);
  return options;
}

ListenerOptions listener_options(const Config& config, const Ledger& ledger,
                                 std::uint64_t open_files) {
  const FilePlaces places = file_places(open_files);
  ListenerOptions options;
  options.web = config.web;
  options.client = config.client;
  options.connections_max = config.max_connections == 0
                                ? places.connections
                                : std::min(config.max_connections, places.connections);
  options.kept_places = places.kept;
  options.connections_per_address = config.max_client_connections;
  options.io_threads = config.io_threads;
  options.gate = gate_rules(config);
  options.limits.frame_bytes_max = wire::frame_bytes_for(config.max_data_bytes);
  // A reply of the greatest size may wait behind others. Its size was estimated as text; in base64
  // it is a third longer.
  options.limits.queued_bytes_max = ledger.limits(Budget::waiting).connection / 3 * 4 + (2U << 20);
  return options;
}

std::vector<std::uint32_t> server_ids(const Config& config) {
  std::vector<std::uint32_t> ids;
  for (const ServerLine& line : config.servers) ids.push_back(line.id);
  if (ids.empty()) ids.push_back(config.id);
  return ids;
}

Links::Options links_options(const Config& config, std::string program, std::uint64_t instance,
                             std::uint64_t memory_limit) {
  Links::Options options{
      zab::ServerId{config.id}, {}, config.heartbeat, config.sync_limit_heartbeats};
  options.program = std::move(program);
  options.instance = instance;
  options.listen_on_all = config.listen_on_all;
  // There is room for two of the largest frames, whatever the memory limit.
  options.queued_bytes_max = std::max(2 * (frame_bytes_max + frame_header_bytes),
                                      std::min(options.queued_bytes_max, link_share(memory_limit)));
  // A learner may be sent the whole history in memory at once, each transaction in a frame.
  options.queued_bytes_max += 2 * config.history_bytes;
  for (const ServerLine& line : config.servers) {
    options.servers.push_back(
        {line.id, line.peer, line.observer, line.weight, line.group, line.further});
  }
  return options;
}

ReplicationOptions replication_options(const Config& config) {
  return {config.heartbeat, config.servers.size() < 2};
}

AdminOptions admin_options(const Config& config) {
  AdminOptions options;
  options.id = config.id;
  for (const ServerLine& line : config.servers) {
    if (line.id == config.id) continue;
    options.other_servers.push_back({line.id, to_string(line.peer), line.observer});
  }
  options.data_dir = config.data_dir.string();
  for (const ShownSetting& each : config.shown) {
    options.settings.push_back({each.key, each.value, each.source});
  }
  options.words = config.words;
  options.read_only_mode = config.read_only_mode;
  options.log_dir = config.log_dir.string();
  options.client_port = config.client.port != 0 ? config.client.port : config.web.port;
  options.tick_time = config.tick_time;
  options.max_client_connections = config.max_client_connections;
  options.min_session_timeout = config.min_session_timeout;
  options.max_session_timeout = config.max_session_timeout;
  for (const ServerLine& line : config.servers) {
    options.membership.push_back("server." + std::to_string(line.id) + "=" + to_string(line.peer) +
                                 ":" + (line.observer ? "observer" : "participant"));
  }
  return options;
}

zab::Ensemble ensemble(const Config& config) {
  std::vector<zab::Member> members;
  for (const ServerLine& line : config.servers) {
    members.push_back({zab::ServerId{line.id}, line.observer, line.weight, line.group});
  }
  if (members.empty()) members.push_back({zab::ServerId{config.id}});
  return zab::Ensemble(std::move(members));
}

zab::PeerLimits peer_limits(const Config& config) {
  zab::PeerLimits limits;
  limits.init_limit = config.init_limit_heartbeats;
  limits.sync_limit = config.sync_limit_heartbeats;
  limits.history_bytes = config.history_bytes;
  return limits;
}

}  // namespace server
