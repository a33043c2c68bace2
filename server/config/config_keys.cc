#include "server/config/config_keys.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "server/config/text.h"
#include "wire/base64.h"
#include "wire/limits.h"

namespace server {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t mebibyte = 1024 * 1024;
constexpr Range segment_range{64 * 1024, 4096 * mebibyte};
constexpr Range data_range{1024, wire::data_bytes_max};
constexpr Range reply_range{mebibyte, 1024 * mebibyte};
constexpr Range memory_range{64 * mebibyte, std::uint64_t{1} << 50};
constexpr Range keep_range{0, std::uint64_t{1} << 50};
constexpr Range limit_range{0, 100'000'000};
constexpr Range at_least_one{1, 100'000'000};
// A session keeps at least a receipt for each, and they must fit into one message to a learner.
constexpr Range outstanding_range{1, 1'000'000};
constexpr Range timeout_range{1, 86'400'000};
// As long as a TTL.
constexpr Range kept_range{0, (std::uint64_t{1} << 40) - 1};

template <auto field>
void set_limit(ConfigBuilder& builder, const NamedSetting& named, Range range) {
  if (const auto value = builder.number(named, range)) {
    builder.config.*field = static_cast<std::uint32_t>(*value);
  }
}

template <auto field>
void set_flag(ConfigBuilder& builder, const NamedSetting& named) {
  const std::string value = lower(named.setting.value);
  if (value != "true" && value != "false") {
    return builder.add_error(named, "is neither true nor false");
  }
  builder.config.*field = value == "true";
}

template <auto field>
void set_milliseconds(ConfigBuilder& builder, const NamedSetting& named, Range range) {
  if (const auto value = builder.number(named, range)) builder.config.*field = milliseconds(*value);
}

template <auto field>
void add_to_list(ConfigBuilder& builder, const NamedSetting& named) {
  for (std::string& item : split(named.setting.value, ',')) {
    if (!item.empty()) (builder.config.*field).push_back(std::move(item));
  }
}

// In ZooKeeper, -1 means the default.
template <auto field>
void set_session_limit(ConfigBuilder& builder, const NamedSetting& named) {
  if (named.setting.value == "-1") return;
  builder.*field = builder.number(named, timeout_range);
}

bool not_empty(ConfigBuilder& builder, const NamedSetting& named) {
  if (named.setting.value.empty()) builder.add_error(named, "has no value; give a directory");
  return !named.setting.value.empty();
}

void set_data_dir(ConfigBuilder& builder, const NamedSetting& named) {
  builder.data_dir_set = true;
  if (not_empty(builder, named)) builder.config.data_dir = named.setting.value;
}

void set_log_dir(ConfigBuilder& builder, const NamedSetting& named) {
  if (not_empty(builder, named)) builder.config.log_dir = named.setting.value;
}

void set_myid(ConfigBuilder& builder, const NamedSetting& named) {
  if (const auto id = builder.id_number(named)) builder.id = static_cast<std::uint32_t>(*id);
}

void set_web_port(ConfigBuilder& builder, const NamedSetting& named) {
  builder.web_port_set = true;
  if (const auto port = builder.number(named, {0, 65'535})) {
    builder.config.web.port = static_cast<std::uint16_t>(*port);
  }
}

// The address of a port to listen on, without the port. Nothing, and an error, if it is none.
std::optional<std::string> host_of(ConfigBuilder& builder, const NamedSetting& named) {
  std::string_view host = named.setting.value;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string bracketed =
      host.find(':') == host.npos ? std::string(host) : "[" + std::string(host) + "]";
  if (auto address = wire::parse_address(bracketed)) return std::move(address->host);
  builder.add_error(named, "is not an address such as 127.0.0.1, 0.0.0.0 or a host name");
  return std::nullopt;
}

void set_web_address(ConfigBuilder& builder, const NamedSetting& named) {
  builder.web_host_set = true;
  if (auto host = host_of(builder, named)) builder.config.web.host = *std::move(host);
}

// As in ZooKeeper, a negative number is no port.
void set_client_port(ConfigBuilder& builder, const NamedSetting& named) {
  if (named.setting.value == "-1") return;
  if (const auto port = builder.number(named, {0, 65'535})) {
    builder.config.client.port = static_cast<std::uint16_t>(*port);
  }
}

void set_client_address(ConfigBuilder& builder, const NamedSetting& named) {
  builder.client_host_set = true;
  if (auto host = host_of(builder, named)) builder.config.client.host = *std::move(host);
}

void set_words(ConfigBuilder& builder, const NamedSetting& named) {
  builder.words_set = true;
  builder.config.words.clear();
  for (std::string_view rest = named.setting.value; !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    std::string_view word = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    if (!word.empty()) builder.config.words.emplace_back(word);
  }
}

void set_web(ConfigBuilder& builder, const NamedSetting& named) {
  const auto web = wire::parse_address(named.setting.value);
  if (web && web->port != 0) {
    builder.webs[named.number] = *web;
  } else {
    builder.add_error(named, "is not host:port");
  }
}

void set_peer_type(ConfigBuilder& builder, const NamedSetting& named) {
  const std::string type = lower(named.setting.value);
  if (type == "observer" || type == "participant") {
    builder.observer = type == "observer";
  } else {
    builder.add_error(named, "is neither participant nor observer");
  }
}

// The error does not repeat the value, because errors are logged.
void set_super_digest(ConfigBuilder& builder, const NamedSetting& named) {
  constexpr std::size_t sha1_base64_size = 28;
  const std::string& value = named.setting.value;
  const std::size_t colon = value.find(':');
  if (colon == value.npos || !wire::from_base64(value.substr(colon + 1)) ||
      value.size() - colon - 1 != sha1_base64_size) {
    return builder.errors.push_back(named.setting.source + ": " + std::string(named.key) +
                                    " is not user:base64(sha1(user:password))");
  }
  builder.config.super_digest = value;
}

void set_upgrade(ConfigBuilder& builder, const NamedSetting& named) {
  if (named.setting.value == "auto" || named.setting.value == "manual") {
    builder.config.upgrade_automatically = named.setting.value == "auto";
  } else {
    builder.add_error(named, "is neither auto nor manual");
  }
}

void set_log_level(ConfigBuilder& builder, const NamedSetting& named) {
  constexpr std::array levels{"trace", "debug", "info", "warn", "error"};
  if (std::ranges::find(levels, named.setting.value) == levels.end()) {
    return builder.add_error(named, "is none of trace, debug, info, warn, error");
  }
  builder.config.log_level = named.setting.value;
}

constexpr Key::Default literal(std::string_view text) {
  return {Key::Default::Kind::literal, text};
}
constexpr Key::Default described(std::string_view text) {
  return {Key::Default::Kind::described, text};
}

constexpr Key keys[] = {
    // Directories and addresses.
    {"dataDir", "DIR", literal("zabkeeper-data"), "the directory of log, checkpoint and myid",
     set_data_dir},
    {"dataLogDir", "DIR", described("dataDir"), "the directory of the log, if it has its own disk",
     set_log_dir},
    {"webPort", "PORT", literal("2180"),
     "the port for clients: HTTP and WebSocket; 0 is any free port, which is logged", set_web_port},
    {"webAddress", "ADDRESS", literal("127.0.0.1"),
     "the address that webPort listens on; 0.0.0.0 is every address of the machine",
     set_web_address},
    {"clientPort", "PORT", described("none"),
     "one more port for clients, for ZooKeeper's and for all others; 0 and -1 are none",
     set_client_port},
    {"clientPortAddress", "ADDRESS", described("every address"),
     "the address that clientPort listens on", set_client_address},
    {"4lw.commands.whitelist", "WORD,...", literal("srvr"),
     "which words of four letters are answered, such as ruok; * is all", set_words},
    {"allowedOrigins", "ORIGIN,...", described("the server's own"),
     "web pages from these origins may connect too, such as https://example.org; * is any",
     add_to_list<&Config::origins>},
    {"allowedHosts", "HOST,...", described("names of this ensemble, IP addresses"),
     "further names under which clients reach this server; * is any", add_to_list<&Config::hosts>},

    // The ensemble.
    {"myid", "N", described("the file myid in dataDir"),
     "which of the server.N lines is this server", set_myid},
    {"server.N", "SERVER", described("standalone"),
     "host:peerPort[:electionPort][:participant|observer][;[webHost:]webPort] of server N",
     [](ConfigBuilder& builder, const NamedSetting& named) { builder.add_server(named); }},
    {"web.N", "HOST:PORT", described("from server.N"),
     "where clients reach server N, if its server.N line does not say so", set_web},
    {"group.N", "N:N:...", described("one group"),
     "the servers of group N, for hierarchical quorums",
     [](ConfigBuilder& builder, const NamedSetting& named) { builder.add_group(named); }},
    {"weight.N", "WEIGHT", literal("1"), "what the vote of server N weighs within its group",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       if (const auto weight = builder.number(named, {0, 1'000'000})) {
         builder.weights[named.number] = static_cast<std::uint32_t>(*weight);
       }
     }},
    {"peerType", "TYPE", literal("participant"),
     "participant or observer; this server's own server.N line overrides it", set_peer_type},
    {"quorumListenOnAllIPs", "BOOL", literal("false"),
     "listen for the other servers on all addresses, not only on those of the own line",
     set_flag<&Config::listen_on_all>},
    {"dynamicConfigFile", "FILE", described("none"),
     "a file with the server.N, group.N and weight.N lines", nullptr},

    // Time.
    {"tickTime", "MS", literal("2000"), "the unit of initLimit, syncLimit and the session timeouts",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       set_milliseconds<&Config::tick_time>(builder, named, {10, 600'000});
     }},
    {"initLimit", "TICKS", described("100 heartbeats"),
     "how long a new leader and its followers may take to connect and synchronize",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       builder.init_limit_ticks = builder.number(named, {1, 1'000'000});
     }},
    {"syncLimit", "TICKS", described("12 heartbeats"),
     "how long a leader or a follower may be silent",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       builder.sync_limit_ticks = builder.number(named, {1, 1'000'000});
     }},
    {"heartbeatMs", "MS", literal("50"), "time between heartbeats of leader and followers",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       set_milliseconds<&Config::heartbeat>(builder, named, {1, 60'000});
     }},
    {"minSessionTimeout", "MS", described("2 ticks"),
     "the shortest session timeout a client can get",
     set_session_limit<&ConfigBuilder::min_session_ms>},
    {"maxSessionTimeout", "MS", described("20 ticks"),
     "the longest session timeout a client can get",
     set_session_limit<&ConfigBuilder::max_session_ms>},
    {"containerIdleMs", "MS", literal("60000"),
     "how long a container is kept after its last child was deleted",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       builder.container_idle_ms = builder.number(named, kept_range);
     }},
    {"znode.container.checkIntervalMs", "MS", described("containerIdleMs"),
     "ZooKeeper's name for containerIdleMs",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       builder.check_interval_ms = builder.clamped(named, 1, kept_range);
     }},
    {"containerUnusedMs", "MS", literal("0"),
     "how long a container that never had a child is kept; 0 is for ever",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       builder.container_unused_ms = builder.number(named, kept_range);
     }},
    {"znode.container.maxNeverUsedIntervalMs", "MS", described("containerUnusedMs"),
     "ZooKeeper's name for containerUnusedMs",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       builder.never_used_ms = builder.clamped(named, 1, kept_range);
     }},

    // Limits.
    {"maxClientCnxns", "COUNT", literal("1000"), "connections from one address; 0 is no limit",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       set_limit<&Config::max_client_connections>(builder, named, limit_range);
     }},
    {"maxCnxns", "COUNT", literal("50000"),
     "connections from all addresses together; 0 is no limit",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       set_limit<&Config::max_connections>(builder, named, limit_range);
     }},
    {"maxSessions", "COUNT", literal("1000000"),
     "open sessions of the whole ensemble; 0 is no limit",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       set_limit<&Config::max_sessions>(builder, named, limit_range);
     }},
    {"maxClientSessions", "COUNT", literal("10000"),
     "open sessions of one address at this server; 0 is no limit",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       set_limit<&Config::max_client_sessions>(builder, named, limit_range);
     }},
    {"clientSessionsPerSecond", "COUNT", literal("100"),
     "new sessions of one address in a second, after the first ten times as many; 0 is no limit",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       set_limit<&Config::client_sessions_per_second>(builder, named, {0, 1'000'000});
     }},
    {"maxOutstandingRequests", "COUNT", literal("1000"),
     "requests of one session without a reply; with more, the server stops reading from it",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       set_limit<&Config::max_outstanding_requests>(builder, named, outstanding_range);
     }},
    {"ioThreads", "COUNT", literal("0"),
     "threads that read and write for clients; 0: the event loop does it, best with few CPUs",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       set_limit<&Config::io_threads>(builder, named, {0, 64});
     }},
    {"maxWatches", "COUNT", literal("10000"), "watches of one session",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       set_limit<&Config::max_watches>(builder, named, limit_range);
     }},
    {"maxMultiOps", "COUNT", literal("1000"), "operations in one multi",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       set_limit<&Config::max_multi_ops>(builder, named, {1, 16'384});
     }},
    {"maxDataBytes", "BYTES", literal("1048576"), "data of one znode",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       builder.data_bytes = builder.number(named, data_range);
     }},
    {"maxReplyBytes", "BYTES", described("16 MiB, 6 maxDataBytes if more"),
     "one reply; a longer list ends early with more, other replies are refused",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       builder.reply_bytes = builder.number(named, reply_range);
     }},
    {"memoryLimitBytes", "BYTES", described("0.8 of the cgroup's, or 0.5 of the machine's"),
     "memory that this server may use; budgets of clients are parts of it",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       if (const auto bytes = builder.number(named, memory_range)) {
         builder.config.memory_limit_bytes = *bytes;
       }
     }},
    {"readonlymode.enabled", "BOOL", literal("false"),
     "without a quorum, let clients read that asked for this (readOnly)",
     set_flag<&Config::read_only_mode>},
    {"jute.maxbuffer", "BYTES", described("maxDataBytes"), "ZooKeeper's name for maxDataBytes",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       builder.jute_bytes = builder.clamped(named, 1, data_range);
     }},
    {"logSegmentBytes", "BYTES", literal("67108864"), "size of a segment, one file of the log",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       builder.segment_bytes = builder.number(named, segment_range);
     }},
    {"preAllocSize", "KIB", described("logSegmentBytes"),
     "ZooKeeper's name for logSegmentBytes, in KiB",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       builder.preallocate_bytes = builder.clamped(named, 1024, segment_range);
     }},

    {"historyBytes", "BYTES", literal("16777216"),
     "transactions kept in memory, for servers that are a little behind",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       if (const auto bytes = builder.number(named, keep_range))
         builder.config.history_bytes = *bytes;
     }},
    {"logKeepBytes", "BYTES", literal("268435456"),
     "log kept before a checkpoint, so that servers which are behind need no snapshot",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       if (const auto bytes = builder.number(named, keep_range))
         builder.config.log_keep_bytes = *bytes;
     }},
    {"snapCount", "COUNT", literal("100000"),
     "transactions between checkpoints, at least; a restart replays about as many",
     [](ConfigBuilder& builder, const NamedSetting& named) {
       if (const auto count = builder.number(named, at_least_one)) {
         builder.config.checkpoint_txns = *count;
       }
     }},

    // Security.
    {"superDigest", "USER:HASH", described("nobody"),
     "the user who may do everything: user:base64(sha1(user:password)), as in ZooKeeper",
     set_super_digest, true},
    {"DigestAuthenticationProvider.superDigest", "USER:HASH", described("superDigest"),
     "ZooKeeper's name for superDigest", set_super_digest, true},

    {"upgrade", "WHEN", described("manual, and auto when standalone"),
     "auto: raise the ensemble's level as soon as all servers can run at a greater one; "
     "manual: only by zab cluster level",
     set_upgrade},

    {"logLevel", "LEVEL", literal("info"), "what is logged: trace, debug, info, warn or error",
     set_log_level},
};

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::span<const Key> config_keys() { return keys; }

const Key* find_key(std::string_view name) {
  for (const Key& key : keys) {
    if (!key.is_numbered() && key.name == name) return &key;
    if (!key.is_numbered()) continue;
    const std::string_view family = key.family();
    if (name.starts_with(family) && is_number(name.substr(family.size()))) return &key;
  }
  return nullptr;
}

std::vector<ShownSetting> shown_settings(const Settings& settings) {
  std::vector<ShownSetting> shown;
  for (const auto& [name, setting] : settings) {
    const Key* key = find_key(name);
    if (key == nullptr) continue;
    shown.push_back({name, key->is_secret ? "(hidden)" : setting.value, setting.source});
  }
  return shown;
}

}  // namespace server
