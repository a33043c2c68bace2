#include "server/config/config_keys.h"

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "server/config/key_names.h"
#include "server/config/zookeeper_keys.h"
#include "tests/server/config_harness.h"
#include "tests/support/sources.h"

namespace server::test {
namespace {

TEST_CASE("setting a key to its literal default changes nothing") {
  const Config defaults = configured({"--dataDir=zabkeeper-data"}).config;
  for (const Key& key : config_keys()) {
    if (key.fallback.kind != Key::Default::Kind::literal || key.is_numbered()) continue;
    CAPTURE(key.name);
    const Config written = configured({"--" + std::string(key.name), std::string(key.fallback.text),
                                       "--dataDir=zabkeeper-data"})
                               .config;
    CHECK(written.web == defaults.web);
    CHECK(written.data_dir == defaults.data_dir);
    CHECK(written.tick_time == defaults.tick_time);
    CHECK(written.heartbeat == defaults.heartbeat);
    CHECK(written.min_session_timeout == defaults.min_session_timeout);
    CHECK(written.max_session_timeout == defaults.max_session_timeout);
    CHECK(written.max_client_connections == defaults.max_client_connections);
    CHECK(written.max_connections == defaults.max_connections);
    CHECK(written.max_sessions == defaults.max_sessions);
    CHECK(written.max_client_sessions == defaults.max_client_sessions);
    CHECK(written.client_sessions_per_second == defaults.client_sessions_per_second);
    CHECK(written.max_outstanding_requests == defaults.max_outstanding_requests);
    CHECK(written.max_watches == defaults.max_watches);
    CHECK(written.max_multi_ops == defaults.max_multi_ops);
    CHECK(written.max_data_bytes == defaults.max_data_bytes);
    CHECK(written.max_reply_bytes == defaults.max_reply_bytes);
    CHECK(written.log_segment_bytes == defaults.log_segment_bytes);
    CHECK(written.log_level == defaults.log_level);
  }
}

TEST_CASE("every key of ZooKeeper is known: used, or ignored and named") {
  const std::string file = support::source("tests/server/zoo_all_keys.cfg");
  const Configured zoo = configured({file, "--dataDir=/x"});
  std::istringstream lines(content_of(file));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::string key = line.substr(0, line.find('='));
    if (key.starts_with("zookeeper.")) key.erase(0, std::string("zookeeper.").size());
    CAPTURE(key);
    CHECK((find_key(key) != nullptr) != has_key(zoo.ignored, key));
  }
  CHECK(zoo.config.client.port == 2181);
}

TEST_CASE("every key has a variable in the environment") {
  CHECK(environment_name("tickTime") == "ZABKEEPER_TICK_TIME");
  CHECK(environment_name("jute.maxbuffer") == "ZABKEEPER_JUTE_MAXBUFFER");
  const Config config =
      configured({}, {"ZABKEEPER_SERVER_1=a:1", "ZABKEEPER_SERVER_2=b:1", "ZABKEEPER_MYID=2",
                      "ZABKEEPER_DATA_DIR=/x", "ZABKEEPER_WEB_1=a:99"})
          .config;
  CHECK(config.id == 2);
  REQUIRE(config.servers.size() == 2);
  CHECK(config.servers[0].web == Address{"a", 99});
}

TEST_CASE("--help explains every key, and --version prints the version") {
  const auto help = std::get<PrintAndExit>(start({"--help"}));
  CHECK(help.exit_code == 0);
  for (const Key& key : config_keys()) {
    CHECK_MESSAGE(contains(help.text, "--" + std::string(key.name) + " "), key.name);
  }
  CHECK(std::get<PrintAndExit>(start({"--version"})).text == "zabkeeper 1.2.3\n");
}

TEST_CASE("docs/configuration.md has every key, with its default, and no other") {
  std::istringstream page(content_of(support::source("docs/configuration.md")));
  std::vector<std::string> on_page;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `")) continue;
    const std::string name = line.substr(3, line.find('`', 3) - 3);
    on_page.push_back(name);
    const auto keys = config_keys();
    const auto key = std::ranges::find(keys, name, &Key::name);
    REQUIRE_MESSAGE(key != keys.end(), name);
    if (key->fallback.kind == Key::Default::Kind::literal) {
      CHECK_MESSAGE(contains(line, "| `" + std::string(key->fallback.text) + "` |"), line);
    }
  }
  std::ranges::sort(on_page);
  std::vector<std::string> in_table;
  for (const Key& key : config_keys()) in_table.emplace_back(key.name);
  std::ranges::sort(in_table);
  CHECK(on_page == in_table);
}

TEST_CASE("ignored keys of ZooKeeper are recognized by their prefix too, and have a reason") {
  const auto is_known = [](std::string_view name) { return find_zookeeper_key(name) != nullptr; };
  CHECK(is_known("ssl.quorum.keyStore.location"));
  CHECK(is_known("forceSync"));
  CHECK_FALSE(is_known("forceSyncs"));
  CHECK_FALSE(is_known("tickTime"));
  CHECK(has_key(configured({"--skipACL=no"}).ignored, "skipACL"));
  for (const ZooKeeperKey& key : zookeeper_keys()) {
    CAPTURE(key.name);
    CHECK_FALSE(key.why.empty());
    CHECK(find_key(key.name) == nullptr);
  }
}

TEST_CASE("a key that ZooKeeper ignores, but that configuration files in use have, is ignored") {
  for (const char* key : {"jaasLoginRenew=3600000", "requireClientAuthScheme=sasl",
                          "sasl.client=true", "authProvider.1=SASL", "server.principal=zk"}) {
    CAPTURE(key);
    CHECK(configured({"--" + std::string(key)}).ignored.size() == 1);
  }
}

TEST_CASE("a key that asks for security which this server does not have is an error until false") {
  struct Row {
    const char* refused;
    const char* accepted;
    const char* why;
  };
  const Row rows[] = {
      {"sslQuorum=true", "sslQuorum=false", "no TLS"},
      {"portUnification=true", "portUnification=false", "no TLS"},
      {"client.portUnification=true", "client.portUnification=FALSE", "no TLS"},
      {"secureClientPort=2281", "secureClientPort=0", "no TLS"},
      {"server.1=a:1:2;2181;2281", "server.1=a:1:2;2181", "no TLS"},
      {"admin.forceHttps=true", "admin.forceHttps=false", "no TLS"},
      {"admin.needClientAuth=true", "admin.needClientAuth=false", "no TLS"},
      {"admin.portUnification=true", "admin.portUnification=false", "no TLS"},
      {"sessionRequireClientSASLAuth=true", "sessionRequireClientSASLAuth=false", "no SASL"},
      {"enforce.auth.enabled=true", "enforce.auth.enabled=false", "no SASL"},
      {"quorum.auth.enableSasl=true", "quorum.auth.enableSasl=false", "no SASL"},
      {"quorum.auth.serverRequireSasl=yes", "quorum.auth.serverRequireSasl=", "no SASL"},
      {"quorum.auth.learnerRequireSasl=true", "quorum.auth.learnerRequireSasl=false", "no SASL"},
      {"audit.enable=true", "audit.enable=false", "no audit log"},
      {"DigestAuthenticationProvider.enabled=false", "DigestAuthenticationProvider.enabled=true",
       "digest"},
      {"DigestAuthenticationProvider.digestAlg=SHA-256",
       "DigestAuthenticationProvider.digestAlg=SHA1", "SHA1"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.refused);
    const std::string text = refused({"--" + std::string(row.refused)});
    CHECK_MESSAGE(contains(text, row.why), text);
    CHECK(contains(text, "command line: " + std::string(row.refused) + " "));
    static_cast<void>(configured({"--" + std::string(row.accepted)}));
  }
  const Directory directory;
  CHECK(contains(refused({directory.write("zoo.cfg", "zookeeper.sslQuorum=true\n")}), "no TLS"));
}

TEST_CASE("a variable that asks for security which this server does not have is an error too") {
  struct Row {
    std::string variable;
    const char* why;
  };
  const Row rows[] = {
      {"ZABKEEPER_SSL_QUORUM=true", "sslQuorum=true cannot be had: this server has no TLS"},
      {"ZABKEEPER_SECURE_CLIENT_PORT=2281", "secureClientPort=2281 cannot be had"},
      {"ZABKEEPER_QUORUM_AUTH_ENABLE_SASL=true", "this server has no SASL"},
      {"ZABKEEPER_SESSION_REQUIRE_CLIENT_SASL_AUTH=true", "this server has no SASL"},
      {"ZABKEEPER_SESSION_REQUIRE_CLIENT_SASLAUTH=true", "this server has no SASL"},
      {"ZABKEEPER_AUDIT_ENABLE=true", "no audit log"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.variable);
    const std::string text = refused({}, {row.variable});
    CHECK_MESSAGE(contains(text, row.why), text);
    CHECK(contains(text, row.variable.substr(0, row.variable.find('=')) + ": "));
  }
  const Configured ours = configured(
      {}, {"ZABKEEPER_SSL_QUORUM=false", "ZABKEEPER_SECURE_CLIENT_PORT=tcp://10.0.0.1:1"});
  CHECK(has_key(ours.ignored, "sslQuorum"));
  CHECK(has(ours.notes, "for a service: ZABKEEPER_SECURE_CLIENT_PORT=tcp://10.0.0.1:1"));
}

TEST_CASE(
    "variables that Kubernetes sets for a service are ignored, with a note if one is named like a "
    "key") {
  const Configured ours = configured(
      {},
      {"ZABKEEPER_WEB_PORT=tcp://10.0.0.1:2180", "ZABKEEPER_WEB_SERVICE_HOST=10.0.0.1",
       "ZABKEEPER_WEB_SERVICE_PORT=2180", "ZABKEEPER_WEB_SERVICE_PORT_HTTP=2180",
       "ZABKEEPER_WEB_PORT_2180_TCP=tcp://10.0.0.1:2180", "ZABKEEPER_WEB_PORT_2180_TCP_PORT=2180",
       "ZABKEEPER_WEB_PORT_2180_TCP_PROTO=tcp", "ZABKEEPER_WEB_PORT_2180_TCP_ADDR=10.0.0.1",
       "ZABKEEPER_SERVER_1_PORT=udp://10.0.0.1:1", "ZABKEEPER_TICKTIME=7"});
  CHECK(ours.config.web.port == 2180);
  CHECK(has(ours.notes, "for a service: ZABKEEPER_WEB_PORT=tcp://10.0.0.1:2180"));
  CHECK(has(ours.notes, "it is no key: ZABKEEPER_TICKTIME"));
  CHECK_FALSE(has(ours.notes, "SERVICE_HOST"));
  CHECK_FALSE(has(ours.notes, "2180_TCP"));
  CHECK(configured({}, {"ZABKEEPER_WEB_PORT=2222"}).config.web.port == 2222);
}

TEST_CASE("true, false and the types of servers may be in capitals, as in ZooKeeper") {
  const Config config =
      configured({"--quorumListenOnAllIPs=TRUE", "--readonlymode.enabled=False", "--myid=1",
                  "--peerType=OBSERVER", "--dataDir=/x", "--server.1=a:1:2:Observer",
                  "--server.2=b:1:2:PARTICIPANT", "--server.3=c:1"})
          .config;
  CHECK(config.listen_on_all);
  CHECK_FALSE(config.read_only_mode);
  CHECK(config.servers[0].observer);
  CHECK_FALSE(config.servers[1].observer);
}

TEST_CASE("server ids begin at 1, and an error about 0 says why") {
  const Directory directory;
  directory.write("myid", "0\n");
  for (const std::string& text : {refused({"--server.0=a:1", "--server.1=b:1"}),
                                  refused({"--myid=0"}), refused({"--dataDir=" + directory / ""}),
                                  refused({"--server.1=a:1", "--server.2=b:1", "--group.1=0:1"})}) {
    CHECK_MESSAGE(contains(text, "ids begin at 1, because 0 stands for no server"), text);
  }
}

}  // namespace
}  // namespace server::test
