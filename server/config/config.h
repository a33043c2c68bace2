#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "server/config/settings.h"
#include "wire/address.h"

namespace server {

using wire::Address;

// A line `server.N=host:peerPort[:electionPort][:participant|observer][;[webHost:]webPort]`.
struct ServerLine {
  std::uint32_t id = 0;
  Address peer;
  bool observer = false;
  std::uint32_t weight = 1;           // weight.N
  std::uint32_t group = 0;            // group.G=N:N:N
  Address web;                        // where its clients connect; port 0: unknown
  std::vector<Address> further = {};  // besides `peer`, for the other servers

  bool operator==(const ServerLine&) const = default;
};

// The configuration of a server, checked and with all defaults. Only this room, `startup/` and the
// files at the top of `server/` know it. The other rooms get small structs of their own, which
// `startup/room_options.cc` fills from this one.
struct Config {
  std::filesystem::path data_dir = "zabkeeper-data";
  std::filesystem::path log_dir;    // dataLogDir, or data_dir
  std::uint32_t id = 0;             // from data_dir/myid, or `myid=`; 1 when standalone
  std::vector<ServerLine> servers;  // by id; empty: standalone
  bool listen_on_all = false;       // quorumListenOnAllIPs: for the other servers

  Address web{"127.0.0.1", 2180};  // webAddress, webPort; port 0: any free one
  Address client{"0.0.0.0", 0};    // clientPortAddress, clientPort; port 0: there is none
  std::vector<std::string> words = {"srvr"};  // 4lw.commands.whitelist; "*": all
  std::vector<std::string> advertised;  // "ws://host:port/v1" of every server, sent to clients
  std::vector<std::string> origins;     // allowedOrigins, besides the server's own
  std::vector<std::string> hosts;       // allowedHosts, besides the names of this server

  std::chrono::milliseconds tick_time{2000};  // tickTime: the unit of the session limits
  std::chrono::milliseconds min_session_timeout{4000};
  std::chrono::milliseconds max_session_timeout{40000};
  std::chrono::milliseconds heartbeat{50};           // heartbeatMs: between leader and learners
  std::chrono::milliseconds container_idle{60'000};  // containerIdleMs
  std::chrono::milliseconds container_unused{0};     // containerUnusedMs; 0: for ever
  std::uint32_t init_limit_heartbeats = 100;
  std::uint32_t sync_limit_heartbeats = 12;

  std::uint32_t max_client_connections = 1000;     // maxClientCnxns, per address; 0: no limit
  std::uint32_t max_connections = 50'000;          // maxCnxns, of all addresses; 0: no limit
  std::uint32_t max_sessions = 1'000'000;          // maxSessions, of the ensemble; 0: no limit
  std::uint32_t max_client_sessions = 10'000;      // maxClientSessions, per address; 0: no limit
  std::uint32_t client_sessions_per_second = 100;  // clientSessionsPerSecond, new ones; 0: no limit
  std::uint32_t max_outstanding_requests = 1000;   // per session
  std::uint32_t max_watches = 10'000;              // per session
  std::uint32_t io_threads = 0;                    // besides the event loop's
  std::uint32_t max_multi_ops = 1000;
  std::uint32_t max_data_bytes = 1024 * 1024;
  std::size_t max_reply_bytes = std::size_t{16} << 20;
  std::uint64_t memory_limit_bytes = 0;  // memoryLimitBytes; 0: what the system says
  bool read_only_mode = false;           // readonlymode.enabled: serve reads without a quorum
  std::uint64_t log_segment_bytes = 64 * 1024 * 1024;  // logSegmentBytes, preAllocSize
  std::uint64_t history_bytes = 16 * 1024 * 1024;      // historyBytes
  std::uint64_t log_keep_bytes = 256 * 1024 * 1024;    // logKeepBytes
  std::uint64_t checkpoint_txns = 100'000;             // snapCount
  std::string super_digest;  // superDigest, "user:hash"; empty: there is no such user
  // upgrade: whether the level of the ensemble rises by itself; not set: only if standalone.
  std::optional<bool> upgrade_automatically;
  std::string log_level = "info";
  std::vector<ShownSetting> shown;  // that were set, for operators
};

// The URL at which clients connect to a server's web port: "ws://host:port/v1".
[[nodiscard]] std::string web_url(const Address& web);

// A configuration that can be used.
struct Configured {
  Config config;
  std::vector<std::string> ignored;  // keys of Apache ZooKeeper that have no use here
  std::vector<std::string> notes;    // what the operator should know, a sentence each
  Settings settings = {};            // all that were set, of the dynamicConfigFile too
  std::string file = {};             // that was read; empty if there was none
};

// A configuration that cannot be used.
struct ConfigError {
  std::vector<std::string> errors;  // all of them, a sentence each
};

// Checks the settings and fills in the defaults. Reads the files `myid` and dynamicConfigFile if
// the settings need them. Changes nothing.
[[nodiscard]] std::variant<Configured, ConfigError> configure(Settings settings);

}  // namespace server
