#include "server/config/config_keys.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>
#include <vector>

#include "wire/base64.h"

namespace server {
namespace {

constexpr std::uint64_t mebibyte = 1024 * 1024;
constexpr Range segment_range{64 * 1024, 4096 * mebibyte};
constexpr Range data_range{1024, 256 * mebibyte};
constexpr Range keep_range{0, std::uint64_t{1} << 50};
constexpr Range limit_range{0, 100'000'000};
constexpr Range at_least_one{1, 100'000'000};
constexpr Range timeout_range{1, 86'400'000};

template <auto field>
void take_limit(ConfigBuilder& builder, const Named& named, Range range) {
  if (const auto value = builder.number(named, range)) {
    builder.config.*field = static_cast<std::uint32_t>(*value);
  }
}

template <auto field>
void take_flag(ConfigBuilder& builder, const Named& named) {
  if (named.setting.value != "true" && named.setting.value != "false") {
    return builder.complain(named, "is neither true nor false");
  }
  builder.config.*field = named.setting.value == "true";
}

template <auto field>
void take_milliseconds(ConfigBuilder& builder, const Named& named, Range range) {
  if (const auto value = builder.number(named, range)) builder.config.*field = Milliseconds(*value);
}

template <auto field>
void take_list(ConfigBuilder& builder, const Named& named) {
  for (std::string& item : split(named.setting.value, ',')) {
    if (!item.empty()) (builder.config.*field).push_back(std::move(item));
  }
}

// -1 is ZooKeeper's word for the default.
template <auto field>
void take_session_limit(ConfigBuilder& builder, const Named& named) {
  if (named.setting.value == "-1") return;
  builder.*field = builder.number(named, timeout_range);
}

bool not_empty(ConfigBuilder& builder, const Named& named) {
  if (named.setting.value.empty()) builder.complain(named, "names no folder");
  return !named.setting.value.empty();
}

void take_data_dir(ConfigBuilder& builder, const Named& named) {
  builder.data_dir_said = true;
  if (not_empty(builder, named)) builder.config.data_dir = named.setting.value;
}

void take_log_dir(ConfigBuilder& builder, const Named& named) {
  if (not_empty(builder, named)) builder.config.log_dir = named.setting.value;
}

void take_myid(ConfigBuilder& builder, const Named& named) {
  if (const auto id = builder.number(named, {1, 65'535}))
    builder.id = static_cast<std::uint32_t>(*id);
}

void take_web_port(ConfigBuilder& builder, const Named& named) {
  builder.web_port_said = true;
  if (const auto port = builder.number(named, {0, 65'535})) {
    builder.config.web.port = static_cast<std::uint16_t>(*port);
  }
}

void take_web_address(ConfigBuilder& builder, const Named& named) {
  builder.web_host_said = true;
  std::string_view host = named.setting.value;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string bracketed =
      host.find(':') == host.npos ? std::string(host) : "[" + std::string(host) + "]";
  if (const auto address = wire::parse_address(bracketed)) {
    builder.config.web.host = address->host;
  } else {
    builder.complain(named, "is not an address such as 127.0.0.1, 0.0.0.0 or a host's name");
  }
}

void take_web(ConfigBuilder& builder, const Named& named) {
  const auto web = wire::parse_address(named.setting.value);
  if (web && web->port != 0) {
    builder.webs[named.number] = *web;
  } else {
    builder.complain(named, "is not host:port");
  }
}

void take_peer_type(ConfigBuilder& builder, const Named& named) {
  if (named.setting.value == "observer" || named.setting.value == "participant") {
    builder.observer = named.setting.value == "observer";
  } else {
    builder.complain(named, "is neither participant nor observer");
  }
}

// The value is not repeated: a complaint is logged.
void take_super_digest(ConfigBuilder& builder, const Named& named) {
  constexpr std::size_t sha1_base64_size = 28;
  const std::string& value = named.setting.value;
  const std::size_t colon = value.find(':');
  if (colon == value.npos || !wire::from_base64(value.substr(colon + 1)) ||
      value.size() - colon - 1 != sha1_base64_size) {
    return builder.complaints.push_back(named.setting.place + ": " + std::string(named.key) +
                                        " is not user:base64(sha1(user:password))");
  }
  builder.config.super_digest = value;
}

void take_log_level(ConfigBuilder& builder, const Named& named) {
  constexpr std::array levels{"trace", "debug", "info", "warn", "error"};
  if (std::ranges::find(levels, named.setting.value) == levels.end()) {
    return builder.complain(named, "is none of trace, debug, info, warn, error");
  }
  builder.config.log_level = named.setting.value;
}

constexpr Key keys[] = {
    // Where things are.
    {"dataDir", "DIR", "zabkeeper-data", "the folder of log, checkpoint and myid", take_data_dir},
    {"dataLogDir", "DIR", "(dataDir)", "the folder of the log, if it has a disk of its own",
     take_log_dir},
    {"webPort", "PORT", "2180",
     "the port for clients: HTTP and WebSocket; 0 takes any free port and logs it", take_web_port},
    {"webAddress", "ADDRESS", "127.0.0.1",
     "the address that webPort listens on; 0.0.0.0 is every address of the machine",
     take_web_address},
    {"allowedOrigins", "ORIGIN,...", "(the server's own)",
     "web pages from these origins may connect too, such as https://example.org; * is any",
     take_list<&Config::origins>},
    {"allowedHosts", "HOST,...", "(names of this ensemble, IP addresses)",
     "further names under which clients reach this server; * is any", take_list<&Config::hosts>},

    // The ensemble.
    {"myid", "N", "(the file myid in dataDir)", "which of the server.N lines is this server",
     take_myid},
    {"server.N", "SERVER", "(standalone)",
     "host:peerPort[:electionPort][:participant|observer][;[webHost:]webPort] of server N",
     [](ConfigBuilder& builder, const Named& named) { builder.take_server(named); }},
    {"web.N", "HOST:PORT", "(from server.N)",
     "where clients reach server N, if its server.N line does not say so", take_web},
    {"group.N", "N:N:...", "(one group)", "the servers of group N, for hierarchical quorums",
     [](ConfigBuilder& builder, const Named& named) { builder.take_group(named); }},
    {"weight.N", "WEIGHT", "1", "what the vote of server N weighs within its group",
     [](ConfigBuilder& builder, const Named& named) {
       if (const auto weight = builder.number(named, {0, 1'000'000})) {
         builder.weights[named.number] = static_cast<std::uint32_t>(*weight);
       }
     }},
    {"peerType", "TYPE", "participant",
     "participant or observer; what this server's own server.N line says is stronger",
     take_peer_type},
    {"dynamicConfigFile", "FILE", "(none)", "a file with the server.N, group.N and weight.N lines",
     nullptr},

    // Time.
    {"tickTime", "MS", "2000", "the unit of initLimit, syncLimit and the session timeouts",
     [](ConfigBuilder& builder, const Named& named) {
       take_milliseconds<&Config::tick_time>(builder, named, {10, 600'000});
     }},
    {"initLimit", "TICKS", "(100 heartbeats)",
     "how long a new leader and its followers may take to find each other and synchronize",
     [](ConfigBuilder& builder, const Named& named) {
       builder.init_limit_ticks = builder.number(named, {1, 1'000'000});
     }},
    {"syncLimit", "TICKS", "(12 heartbeats)", "how long a leader or a follower may be silent",
     [](ConfigBuilder& builder, const Named& named) {
       builder.sync_limit_ticks = builder.number(named, {1, 1'000'000});
     }},
    {"heartbeatMs", "MS", "50", "time between heartbeats of leader and followers",
     [](ConfigBuilder& builder, const Named& named) {
       take_milliseconds<&Config::heartbeat>(builder, named, {1, 60'000});
     }},
    {"minSessionTimeout", "MS", "(2 ticks)", "the shortest session timeout a client can get",
     take_session_limit<&ConfigBuilder::min_session_ms>},
    {"maxSessionTimeout", "MS", "(20 ticks)", "the longest session timeout a client can get",
     take_session_limit<&ConfigBuilder::max_session_ms>},

    // Limits.
    {"maxClientCnxns", "COUNT", "1000", "connections from one address; 0 is no limit",
     [](ConfigBuilder& builder, const Named& named) {
       take_limit<&Config::max_client_connections>(builder, named, limit_range);
     }},
    {"maxCnxns", "COUNT", "50000", "connections from all addresses together; 0 is no limit",
     [](ConfigBuilder& builder, const Named& named) {
       take_limit<&Config::max_connections>(builder, named, limit_range);
     }},
    {"maxOutstandingRequests", "COUNT", "1000",
     "unanswered requests of one session; beyond them the server stops reading from it",
     [](ConfigBuilder& builder, const Named& named) {
       take_limit<&Config::max_outstanding_requests>(builder, named, at_least_one);
     }},
    {"ioThreads", "COUNT", "0",
     "threads that read and write for clients; 0: the event loop does it, best with few processors",
     [](ConfigBuilder& builder, const Named& named) {
       take_limit<&Config::io_threads>(builder, named, {0, 64});
     }},
    {"maxWatches", "COUNT", "10000", "watches of one session",
     [](ConfigBuilder& builder, const Named& named) {
       take_limit<&Config::max_watches>(builder, named, limit_range);
     }},
    {"maxMultiOps", "COUNT", "1000", "operations in one multi",
     [](ConfigBuilder& builder, const Named& named) {
       take_limit<&Config::max_multi_ops>(builder, named, {1, 16'384});
     }},
    {"maxDataBytes", "BYTES", "1048576", "data of one znode",
     [](ConfigBuilder& builder, const Named& named) {
       builder.data_bytes = builder.number(named, data_range);
     }},
    {"readonlymode.enabled", "BOOL", "false",
     "without a quorum, let clients read that ask for no more (readOnly)",
     take_flag<&Config::read_only_mode>},
    {"jute.maxbuffer", "BYTES", "(maxDataBytes)", "ZooKeeper's name for maxDataBytes",
     [](ConfigBuilder& builder, const Named& named) {
       builder.jute_bytes = builder.clamped(named, 1, data_range);
     }},
    {"logSegmentBytes", "BYTES", "67108864", "size of one file of the log",
     [](ConfigBuilder& builder, const Named& named) {
       builder.segment_bytes = builder.number(named, segment_range);
     }},
    {"preAllocSize", "KIB", "(logSegmentBytes)", "ZooKeeper's name for logSegmentBytes, in KiB",
     [](ConfigBuilder& builder, const Named& named) {
       builder.preallocate_bytes = builder.clamped(named, 1024, segment_range);
     }},

    {"historyBytes", "BYTES", "16777216",
     "transactions kept in memory, for servers that lag a little",
     [](ConfigBuilder& builder, const Named& named) {
       if (const auto bytes = builder.number(named, keep_range))
         builder.config.history_bytes = *bytes;
     }},
    {"logKeepBytes", "BYTES", "268435456",
     "log kept behind a checkpoint, so that servers which lag need no snapshot",
     [](ConfigBuilder& builder, const Named& named) {
       if (const auto bytes = builder.number(named, keep_range))
         builder.config.log_keep_bytes = *bytes;
     }},
    {"snapCount", "COUNT", "100000",
     "transactions between checkpoints, at least; a restart replays that many",
     [](ConfigBuilder& builder, const Named& named) {
       if (const auto count = builder.number(named, at_least_one)) {
         builder.config.checkpoint_txns = *count;
       }
     }},

    // Security.
    {"superDigest", "USER:HASH", "(nobody)",
     "who may do everything: user:base64(sha1(user:password)), as in ZooKeeper", take_super_digest},
    {"DigestAuthenticationProvider.superDigest", "USER:HASH", "(superDigest)",
     "ZooKeeper's name for superDigest", take_super_digest},

    {"logLevel", "LEVEL", "info", "what is logged: trace, debug, info, warn or error",
     take_log_level},
};

// Keys of Apache ZooKeeper 3.4 to 3.10 without a use here; a * at the end stands for anything.
constexpr std::string_view ignored[] = {
    "4lw.*",
    "admin.*",
    "allowSaslFailedClients",
    "audit.*",
    "authProvider.*",
    "autopurge.*",
    "bitHashCacheSize",
    "client.*",
    "clientPort",
    "clientPortAddress",
    "clientPortListenBacklog",
    "clientTcpKeepAlive",
    "closeSessionTxn.enabled",
    "cnxTimeout",
    "commitLogCount",
    "commitProcessor.*",
    "connectToLearnerMasterLimit",
    "connectionDecreaseRatio",
    "connectionDropDecrease",
    "connectionDropIncrease",
    "connectionFreezeTime",
    "connectionMaxTokens",
    "connectionTokenFillCount",
    "connectionTokenFillTime",
    "connection_throttle_*",
    "datadir.autocreate",
    "db.autocreate",
    "digest.enabled",
    "DigestAuthenticationProvider.*",
    "electionAlg",
    "electionPortBindRetry",
    "emulate353TTLNodes",
    "enableEagerACLCheck",
    "enforce.auth.*",
    "enforceQuota",
    "ensembleAuthName",
    "extendedTypesEnabled",
    "fastleader.*",
    "fips-mode",
    "flushDelay",
    "follower.*",
    "forceSnapshotSync",
    "forceSync",
    "forward_learner_requests_to_commit_processor_disabled",
    "fsync.warningthresholdms",
    "globalOutstandingLimit",
    "IPAuthenticationProvider.*",
    "jute.maxbuffer.extrasize",
    "jvm.*",
    "kerberos.*",
    "largeRequestMaxBytes",
    "largeRequestThreshold",
    "leader.*",
    "leaderServes",
    "learner.*",
    "localSessionsEnabled",
    "localSessionsUpgradingEnabled",
    "maxBatchSize",
    "maxGetChildrenResponseCacheSize",
    "maxInProcessingDeadWatchers",
    "maxResponseCacheSize",
    "maxTimeToWaitForEpoch",
    "maxWriteQueuePollTime",
    "messageTracker.*",
    "metricsProvider.*",
    "multiAddress.*",
    "netty.*",
    "nio.*",
    "observer.*",
    "observerMaster.*",
    "observerMasterPort",
    "oraclePath",
    "pathStats.*",
    "portUnification",
    "quorum.*",
    "quorumCnxnTimeoutMs",
    "quorumListenOnAllIPs",
    "reconfigEnabled",
    "request.timeout",
    "requestStaleConnectionCheck",
    "requestStaleLatencyCheck",
    "requestThrottleDropStale",
    "requestThrottleLimit",
    "requestThrottleStallTime",
    "request_throttler.*",
    "secureClientPort",
    "secureClientPortAddress",
    "serializeLastProcessedZxid.enabled",
    "serverCnxnFactory",
    "sessionRequireClientSASLAuth",
    "skipACL",
    "snapSizeLimitInKb",
    "snapshot.*",
    "snapshotSizeFactor",
    "ssl.*",
    "sslQuorum",
    "sslQuorumReloadCertFiles",
    "standaloneEnabled",
    "superUser",
    "superUser.*",
    "syncEnabled",
    "tcpKeepAlive",
    "throttledOpWaitTime",
    "traceFile",
    "txnLogSizeLimitInKb",
    "version",
    "watchManagerName",
    "watcherCleanIntervalInSeconds",
    "watcherCleanThreadsNum",
    "watcherCleanThreshold",
    "X509AuthenticationProvider.*",
    "znode.*",
};

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// How many characters must be changed, added or left out; case does not count.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(a[i]) == lower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::span<const Key> config_keys() { return keys; }

const Key* find_key(std::string_view name) {
  for (const Key& key : keys) {
    if (key.name == name && !key.name.ends_with(".N")) return &key;
    if (!key.name.ends_with(".N")) continue;
    const std::string_view family = key.name.substr(0, key.name.size() - 1);
    if (name.starts_with(family) && is_number(name.substr(family.size()))) return &key;
  }
  return nullptr;
}

bool is_ignored_key(std::string_view name) {
  return std::ranges::any_of(ignored, [&](std::string_view key) {
    return key.ends_with('*') ? name.starts_with(key.substr(0, key.size() - 1)) : key == name;
  });
}

std::string nearest_key(std::string_view name) {
  std::string_view nearest;
  std::size_t distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  const auto consider = [&](std::string_view key) {
    const std::size_t d = edit_distance(name, key);
    if (d < distance) {
      distance = d;
      nearest = key;
    }
  };
  for (const Key& key : keys) consider(key.name);
  for (const std::string_view key : ignored) {
    if (!key.ends_with('*')) consider(key);
  }
  return std::string(nearest);
}

std::string environment_name(std::string_view key) {
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  std::string name = "ZABKEEPER_";
  char before = '.';
  for (const char c : key) {
    if (is_capital(c) && !is_capital(before) && before != '.') name += '_';
    if (c == '.' || c == '-') {
      name += '_';
    } else {
      name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    before = c;
  }
  return name;
}

}  // namespace server
