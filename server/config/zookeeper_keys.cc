#include "server/config/zookeeper_keys.h"

#include "server/config/text.h"

namespace server {
namespace {

// Why a key has no use here.
constexpr std::string_view its_parts = "it tunes or switches a part that this server does not have";
constexpr std::string_view for_clients = "a server of ZooKeeper does not use it either";
constexpr std::string_view decided = "this server decides that itself";
constexpr std::string_view web_port = "webPort has the pages for operators";
constexpr std::string_view tls_details = "it changes details of TLS";
constexpr std::string_view auth_details = "it is of identities that this server does not know";

// Why a value is refused.
constexpr std::string_view no_sasl =
    "this server has no SASL, and would serve clients and servers without; remove it, and use "
    "networks that you trust, and ACLs";
constexpr std::string_view no_audit =
    "this server writes no audit log; remove it if you do not need one";
constexpr std::string_view digest_stays =
    "clients can always prove identities of the scheme digest; remove it";
constexpr std::string_view only_sha1 =
    "identities of the scheme digest are hashed with SHA1 here; remove it, and hash them anew";

constexpr ZooKeeperKey keys_of_zookeeper[] = {
    {"admin.*", web_port},
    {"admin.forceHttps", no_tls, "false"},
    {"admin.needClientAuth", no_tls, "false"},
    {"admin.portUnification", no_tls, "false"},
    {"allowSaslFailedClients", auth_details},
    {"audit.*", web_port},
    {"audit.enable", no_audit, "false"},
    {"authProvider.*", auth_details},
    {"autopurge.*", decided},
    {"bitHashCacheSize", its_parts},
    {"client.*", for_clients},
    {"client.portUnification", no_tls, "false"},
    {"clientCnxnSocket", for_clients},
    {"clientPortListenBacklog", its_parts},
    {"clientTcpKeepAlive", decided},
    {"closeSessionTxn.enabled", decided},
    {"cnxTimeout", its_parts},
    {"commitLogCount", its_parts},
    {"commitProcessor.*", its_parts},
    {"connection_throttle_*", its_parts},
    {"connectionDecreaseRatio", its_parts},
    {"connectionDropDecrease", its_parts},
    {"connectionDropIncrease", its_parts},
    {"connectionFreezeTime", its_parts},
    {"connectionMaxTokens", its_parts},
    {"connectionTokenFillCount", its_parts},
    {"connectionTokenFillTime", its_parts},
    {"connectToLearnerMasterLimit", its_parts},
    {"datadir.autocreate", decided},
    {"db.autocreate", decided},
    {"digest.enabled", decided},
    {"DigestAuthenticationProvider.*", auth_details},
    {"DigestAuthenticationProvider.digestAlg", only_sha1, "SHA1 SHA-1"},
    {"DigestAuthenticationProvider.enabled", digest_stays, "true"},
    {"disableAutoWatchReset", for_clients},
    {"electionAlg", its_parts},
    {"electionPortBindRetry", its_parts},
    {"emulate353TTLNodes", decided},
    {"enableEagerACLCheck", decided},
    {"enforce.auth.*", auth_details},
    {"enforce.auth.enabled", no_sasl, "false"},
    {"enforceQuota", decided},
    {"ensembleAuthName", auth_details},
    {"extendedTypesEnabled", decided},
    {"fastleader.*", its_parts},
    {"fips-mode", tls_details},
    {"flushDelay", its_parts},
    {"follower.*", its_parts},
    {"forceSnapshotSync", its_parts},
    {"forceSync", decided},
    {"forward_learner_requests_to_commit_processor_disabled", its_parts},
    {"fsync.warningthresholdms", its_parts},
    {"globalOutstandingLimit", its_parts},
    {"hostProvider.*", for_clients},
    {"intBufferStartingSizeBytes", its_parts},
    {"IPAuthenticationProvider.*", auth_details},
    {"jaasLoginRenew", for_clients},
    {"jmx.*", web_port},
    {"jute.maxbuffer.extrasize", its_parts},
    {"jvm.*", its_parts},
    {"kerberos.*", auth_details},
    {"kinit", for_clients},
    {"largeRequestMaxBytes", its_parts},
    {"largeRequestThreshold", its_parts},
    {"leader.*", its_parts},
    {"leaderConnectDelayDuringRetryMs", its_parts},
    {"leaderServes", decided},
    {"learner.*", its_parts},
    {"letAnySaslUserDoX", auth_details},
    {"localSessionsEnabled", its_parts},
    {"localSessionsUpgradingEnabled", its_parts},
    {"maxBatchSize", its_parts},
    {"maxGetChildrenResponseCacheSize", its_parts},
    {"maxInProcessingDeadWatchers", its_parts},
    {"maxResponseCacheSize", its_parts},
    {"maxTimeToWaitForEpoch", its_parts},
    {"maxWriteQueuePollTime", its_parts},
    {"messageTracker.*", its_parts},
    {"metricsProvider.*", web_port},
    {"multiAddress.*", its_parts},
    {"netty.*", its_parts},
    {"nio.*", its_parts},
    {"observer.*", its_parts},
    {"observerMaster.*", its_parts},
    {"observerMasterPort", its_parts},
    {"oraclePath", its_parts},
    {"pathStats.*", its_parts},
    {"portUnification", no_tls, "false"},
    {"quorum.*", auth_details},
    {"quorum.auth.enableSasl", no_sasl, "false"},
    {"quorum.auth.learnerRequireSasl", no_sasl, "false"},
    {"quorum.auth.serverRequireSasl", no_sasl, "false"},
    {"quorumCnxnTimeoutMs", its_parts},
    {"reconfigEnabled", its_parts},
    {"request.timeout", for_clients},
    {"request_stale_*", its_parts},
    {"request_throttle_*", its_parts},
    {"request_throttler.*", its_parts},
    {"requestStaleConnectionCheck", its_parts},
    {"requestStaleLatencyCheck", its_parts},
    {"requestThrottleDropStale", its_parts},
    {"requestThrottleLimit", its_parts},
    {"requestThrottleStallTime", its_parts},
    {"requireClientAuthScheme", for_clients},
    {"requireKerberosConfig", auth_details},
    {"sasl.*", for_clients},
    {"SASLAuthenticationProvider.*", auth_details},
    {"secureClientPort", no_tls, "0 -1"},
    {"secureClientPortAddress", tls_details},
    {"security.*", auth_details},
    {"serializeLastProcessedZxid.enabled", decided},
    {"server.principal", for_clients},
    {"server.realm", for_clients},
    {"serverCnxnFactory", its_parts},
    {"sessionRequireClientSASLAuth", no_sasl, "false"},
    {"shuffleDnsResponse", for_clients},
    {"skipACL", decided},
    {"snapshot.*", its_parts},
    {"snapshotSizeFactor", its_parts},
    {"snapSizeLimitInKb", its_parts},
    {"ssl.*", tls_details},
    {"sslQuorum", no_tls, "false"},
    {"sslQuorumReloadCertFiles", tls_details},
    {"standaloneEnabled", decided},
    {"superUser", auth_details},
    {"superUser.*", auth_details},
    {"syncEnabled", its_parts},
    {"tcpKeepAlive", decided},
    {"throttled_op_wait_time", its_parts},
    {"throttledOpWaitTime", its_parts},
    {"traceFile", its_parts},
    {"txnLogSizeLimitInKb", its_parts},
    {"version", decided},
    {"watcherCleanIntervalInSeconds", its_parts},
    {"watcherCleanThreadsNum", its_parts},
    {"watcherCleanThreshold", its_parts},
    {"watchManagerName", its_parts},
    {"X509AuthenticationProvider.*", auth_details},
    {"znode.*", its_parts},
};

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t end = words.find(' ');
    if (words.substr(0, end) == word) return true;
    words.remove_prefix(end == words.npos ? words.size() : end + 1);
  }
  return false;
}

}  // namespace

std::span<const ZooKeeperKey> zookeeper_keys() { return keys_of_zookeeper; }

const ZooKeeperKey* find_zookeeper_key(std::string_view name) {
  const ZooKeeperKey* family = nullptr;
  for (const ZooKeeperKey& key : keys_of_zookeeper) {
    if (key.name == name) return &key;
    if (!key.name.ends_with('*')) continue;
    if (name.starts_with(key.name.substr(0, key.name.size() - 1))) family = &key;
  }
  return family;
}

std::string refusal(const ZooKeeperKey& key, std::string_view value) {
  if (key.harmless.empty() || value.empty() || has_word(lower(key.harmless), lower(value))) {
    return {};
  }
  return "cannot be had: " + std::string(key.why);
}

}  // namespace server
