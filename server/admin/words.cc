#include "server/admin/words.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <sys/utsname.h>
#include <utility>
#include <vector>

namespace server {
namespace {

// The latency of all requests of clients, in milliseconds.
struct Latency {
  std::uint64_t least = 0;
  double average = 0;
  std::uint64_t most = 0;
};

Latency latency_of(const RequestCounters& requests) {
  std::uint64_t count = 0;
  double sum_ms = 0;
  Latency latency;
  for (const Histogram& took : requests.took) {
    sum_ms += std::chrono::duration<double, std::milli>(took.sum()).count();
    for (std::size_t bucket = 0; bucket <= Histogram::bounds; ++bucket) {
      if (took.count(bucket) == 0) continue;
      count += took.count(bucket);
      const auto bound = Histogram::bound(std::min(bucket, Histogram::bounds - 1));
      const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(bound).count();
      latency.most = std::max(latency.most, static_cast<std::uint64_t>(ms));
    }
  }
  if (count > 0) latency.average = sum_ms / static_cast<double>(count);
  return latency;
}

std::string decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.4f", value);
  return text;
}

std::string hexadecimal(std::uint64_t value) {
  char text[32];
  std::snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string version_of(const Readings& now) {
  return std::string(zookeeper_version) + "-zabkeeper-" + now.status.version +
         ", built on 1970-01-01 00:00 UTC";
}

std::string_view mode_of(const Status& status) {
  if (!status.serving) return "read-only";
  return wire::name(status.role);
}

std::string summary(const Readings& now) {
  const Latency latency = latency_of(now.requests);
  std::string text = "Latency min/avg/max: " + std::to_string(latency.least) + "/" +
                     decimal(latency.average) + "/" + std::to_string(latency.most) + "\n";
  text += "Received: " + std::to_string(now.port.in.frames) + "\n";
  text += "Sent: " + std::to_string(now.port.out.frames) + "\n";
  text += "Connections: " + std::to_string(now.status.connections) + "\n";
  text += "Outstanding: " + std::to_string(now.outstanding_requests) + "\n";
  text += "Zxid: " + hexadecimal(now.status.zxid.bits()) + "\n";
  text += "Mode: " + std::string(mode_of(now.status)) + "\n";
  text += "Node count: " + std::to_string(now.status.nodes) + "\n";
  if (now.status.role == wire::Role::leader) text += "Proposal sizes last/min/max: -1/-1/-1\n";
  return text;
}

std::string mntr(const Readings& now) {
  const Latency latency = latency_of(now.requests);
  const auto connected = std::ranges::count_if(
      now.status.peers, [](const Status::Peer& peer) { return peer.connected; });
  const auto observers = std::ranges::count_if(
      now.status.peers, [](const Status::Peer& peer) { return peer.connected && peer.observer; });
  std::vector<std::pair<std::string_view, std::string>> lines{
      {"version", version_of(now)},
      {"server_state", std::string(mode_of(now.status))},
      {"avg_latency", decimal(latency.average)},
      {"max_latency", std::to_string(latency.most)},
      {"min_latency", std::to_string(latency.least)},
      {"packets_received", std::to_string(now.port.in.frames)},
      {"packets_sent", std::to_string(now.port.out.frames)},
      {"num_alive_connections", std::to_string(now.status.connections)},
      {"outstanding_requests", std::to_string(now.outstanding_requests)},
      {"znode_count", std::to_string(now.status.nodes)},
      {"watch_count", std::to_string(now.status.watches)},
      {"ephemerals_count", std::to_string(now.ephemerals)},
      {"approximate_data_size", std::to_string(now.tree_data_bytes)},
      {"open_file_descriptor_count", std::to_string(now.process.open_files)},
      {"max_file_descriptor_count", std::to_string(now.process.open_files_max)},
      {"global_sessions", std::to_string(now.status.sessions)},
      {"local_sessions", "0"},
  };
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const double up = std::chrono::duration<double>(since_epoch).count() - now.process.start_seconds;
  lines.emplace_back("uptime", std::to_string(static_cast<std::int64_t>(1000 * std::max(up, 0.0))));
  if (!now.status.peers.empty()) {
    const bool leads = now.status.role == wire::Role::leader;
    lines.emplace_back("quorum_size", std::to_string(now.status.peers.size() + 1));
    lines.emplace_back("peer_state", leads ? "leading - broadcast" : "following - broadcast");
    if (leads) {
      lines.emplace_back("learners", std::to_string(connected));
      lines.emplace_back("followers", std::to_string(connected - observers));
      lines.emplace_back("synced_followers", std::to_string(connected - observers));
      lines.emplace_back("synced_observers", std::to_string(observers));
      lines.emplace_back("synced_non_voting_followers", "0");
      lines.emplace_back("pending_syncs", "0");
    }
  }
  std::string text;
  for (const auto& [key, value] : lines) {
    text += "zk_" + std::string(key) + "\t" + value + "\n";
  }
  return text;
}

std::string conf(const AdminOptions& options, const Readings& now) {
  std::string text = "clientPort=" + std::to_string(options.client_port) + "\n";
  const std::string log_bytes = std::to_string(now.status.log_bytes);
  text += "secureClientPort=-1\n";
  text += "dataDir=" + options.data_dir + "\ndataDirSize=" + log_bytes + "\n";
  text += "dataLogDir=" + options.log_dir + "\ndataLogSize=" + log_bytes + "\n";
  text += "tickTime=" + std::to_string(options.tick_time.count()) + "\n";
  text += "maxClientCnxns=" + std::to_string(options.max_client_connections) + "\n";
  text += "minSessionTimeout=" + std::to_string(options.min_session_timeout.count()) + "\n";
  text += "maxSessionTimeout=" + std::to_string(options.max_session_timeout.count()) + "\n";
  text += "clientPortListenBacklog=-1\n";
  text += "serverId=" + std::to_string(options.id) + "\n";
  if (options.membership.empty()) return text;
  text += "membership: \n";
  for (const std::string& line : options.membership) text += line + "\n";
  return text + "version=0";
}

std::string envi(const Readings& now) {
  utsname system{};
  ::uname(&system);
  return "Environment:\nzookeeper.version=" + version_of(now) + "\nhost.name=" + system.nodename +
         "\nos.name=" + system.sysname + "\nos.arch=" + system.machine +
         "\nos.version=" + system.release + "\n";
}

std::string dirs(const Readings& now) {
  const std::string bytes = std::to_string(now.status.log_bytes);
  return "datadir_size: " + bytes + "\nlogdir_size: " + bytes + "\n";
}

bool is_allowed(std::string_view word, const AdminOptions& options) {
  constexpr std::array<std::string_view, 9> answered{"conf", "dirs", "envi", "isro", "mntr",
                                                     "ruok", "srvr", "stat", "wchs"};
  if (std::ranges::find(answered, word) == answered.end()) return false;
  return std::ranges::any_of(options.words,
                             [&](const std::string& each) { return each == "*" || each == word; });
}

}  // namespace

std::string word_text(std::string_view word, const AdminOptions& options,
                      const std::function<Readings()>& read) {
  if (!is_allowed(word, options)) {
    return std::string(word) + " is not executed because it is not in the whitelist.\n";
  }
  if (word == "ruok") return "imok";
  const Readings now = read();
  if (word == "envi") return envi(now);
  const bool serves_reads = now.status.serving || options.read_only_mode;
  if (word == "isro") return now.status.serving ? "rw" : serves_reads ? "ro" : "null";
  if (!serves_reads) return "This ZooKeeper instance is not currently serving requests\n";
  if (word == "mntr") return mntr(now);
  if (word == "conf") return conf(options, now);
  if (word == "dirs") return dirs(now);
  if (word == "wchs") {
    return std::to_string(now.status.connections) + " connections watching " +
           std::to_string(now.status.watches) +
           " paths\nTotal watches:" + std::to_string(now.status.watches) + "\n";
  }
  std::string text = "Zookeeper version: " + version_of(now) + "\n";
  if (!now.status.serving) text += "READ-ONLY mode; serving only read-only clients\n";
  if (word == "stat") text += "Clients:\n\n";
  return text + summary(now);
}

}  // namespace server
