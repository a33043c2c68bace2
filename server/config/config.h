#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "wire/address.h"

namespace server {

using wire::Address;

using Milliseconds = std::chrono::milliseconds;

// A line `server.N=host:peerPort[:electionPort][:participant|observer][;[webHost:]webPort]`.
struct ServerLine {
  std::uint32_t id = 0;
  Address peer;
  bool observer = false;
  std::uint32_t weight = 1;  // weight.N
  std::uint32_t group = 0;   // group.G=N:N:N
  Address web;               // where its clients connect; port 0: not known

  bool operator==(const ServerLine&) const = default;
};

// Everything that can be configured, as it will be used: defaults filled in, checked.
struct Config {
  std::filesystem::path data_dir = "zabkeeper-data";
  std::filesystem::path log_dir;    // dataLogDir; data_dir if not said
  std::uint32_t id = 0;             // from data_dir/myid, or `myid=`; 1 when standalone
  std::vector<ServerLine> servers;  // by id; empty: standalone

  Address web{"127.0.0.1", 2180};       // webAddress, webPort; port 0: any free one
  std::vector<std::string> advertised;  // "ws://host:port/v1" of every server, told to clients
  std::vector<std::string> origins;     // allowedOrigins, besides the server's own
  std::vector<std::string> hosts;       // allowedHosts, besides those that name this server

  Milliseconds tick_time{2000};  // tickTime: the unit of the session limits
  Milliseconds min_session_timeout{4000};
  Milliseconds max_session_timeout{40000};
  Milliseconds heartbeat{50};  // heartbeatMs: between leader and learners
  std::uint32_t init_limit_heartbeats = 100;
  std::uint32_t sync_limit_heartbeats = 12;

  std::uint32_t max_client_connections = 1000;    // maxClientCnxns, per address; 0: no limit
  std::uint32_t max_connections = 50'000;         // maxCnxns, of all addresses; 0: no limit
  std::uint32_t max_outstanding_requests = 1000;  // per session
  std::uint32_t max_watches = 10'000;             // per session
  std::uint32_t io_threads = 0;                   // besides the event loop's
  std::uint32_t max_multi_ops = 1000;
  std::uint32_t max_data_bytes = 1024 * 1024;
  bool read_only_mode = false;  // readonlymode.enabled: without a quorum, for who wants that
  std::uint64_t log_segment_bytes = 64 * 1024 * 1024;  // logSegmentBytes, preAllocSize
  std::uint64_t history_bytes = 16 * 1024 * 1024;      // historyBytes
  std::uint64_t log_keep_bytes = 256 * 1024 * 1024;    // logKeepBytes
  std::uint64_t checkpoint_txns = 100'000;             // snapCount
  std::string super_digest;  // superDigest, "user:hash"; empty: nobody may do everything
  std::string log_level = "info";
};

// Where a client finds the web port of a server: "ws://host:port/v1".
[[nodiscard]] std::string web_url(const Address& web);

// One value that somebody set, and where: "conf/zoo.cfg:7", "--tickTime", "ZABKEEPER_TICK_TIME".
struct Setting {
  std::string value;
  std::string place;
};
using Settings = std::map<std::string, Setting, std::less<>>;  // by key

// A configuration that can be used.
struct Configured {
  Config config;
  std::vector<std::string> ignored;  // keys of Apache ZooKeeper that have no use here
  std::vector<std::string> notes;    // what was decided for the operator, a sentence each
};

// Everything that is wrong with it, a sentence each.
struct ConfigError {
  std::vector<std::string> complaints;
};

// Settings from the text of a properties file such as zoo.cfg; `place` is its name. Whatever is
// doubtful about the text itself is added to `notes` or `complaints`.
struct FileSettings {
  Settings settings;
  std::vector<std::string> notes;
  std::vector<std::string> complaints;
};
[[nodiscard]] FileSettings read_settings(std::string_view text, const std::string& place);

// Reads `myid` and dynamicConfigFile where the settings ask for them; touches nothing.
[[nodiscard]] std::variant<Configured, ConfigError> configure(const Settings& settings);

}  // namespace server
