#include "server/config/config.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "tests/server/config_harness.h"
#include "tests/support/sources.h"

namespace server::test {
namespace {

constexpr auto zoo_sample = R"(# The number of milliseconds of each tick
tickTime=2000
# The number of ticks that the initial
# synchronization phase can take
initLimit=10
# The number of ticks that can pass between
# sending a request and getting an acknowledgement
syncLimit=5
# the directory where the snapshot is stored.
# do not use /tmp for storage, /tmp here is just
# example sakes.
dataDir=/tmp/zookeeper
# the port at which the clients will connect
clientPort=2181
# the maximum number of client connections.
# increase this if you need to handle more clients
#maxClientCnxns=60
#autopurge.snapRetainCount=3
autopurge.purgeInterval=1
## Metrics Providers
metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider
metricsProvider.httpHost=0.0.0.0
admin.serverPort = 8081
4lw.commands.whitelist: stat, ruok
zookeeper.snapshot.trust.empty=true
)";

TEST_CASE("without a configuration a standalone server starts with the defaults") {
  const Configured defaults = configured({});
  const Config& config = defaults.config;
  CHECK(config.data_dir == "zabkeeper-data");
  CHECK(config.log_dir == "zabkeeper-data");
  CHECK(config.id == 1);
  CHECK(config.servers.empty());
  CHECK(config.web == Address{"127.0.0.1", 2180});
  CHECK(config.client == Address{"127.0.0.1", 2181});
  CHECK(config.words == std::vector<std::string>{"srvr"});
  CHECK(config.advertised == std::vector<std::string>{"ws://127.0.0.1:2180/v1"});
  CHECK(has(defaults.notes, std::filesystem::absolute("zabkeeper-data").string()));
  CHECK(defaults.ignored.empty());
}

TEST_CASE("an operator sees the keys that were set, and no secret") {
  const std::string hash = "kim:" + std::string(27, 'A') + '=';
  const Directory directory;
  const std::string file = directory.write(
      "zoo.cfg", "tickTime=250\nsuperDigest=" + hash + "\nssl.keyStore.password=canary\n");
  const Config config = configured({file}).config;
  REQUIRE(config.super_digest == hash);
  REQUIRE(config.shown.size() == 2);
  CHECK(config.shown[0].key == "superDigest");
  CHECK(config.shown[0].value == "(hidden)");
  CHECK(config.shown[1].key == "tickTime");
  CHECK(config.shown[1].value == "250");
  CHECK(has({config.shown[1].source}, "zoo.cfg:1"));
}

TEST_CASE("ZooKeeper's sample configuration is accepted, and ignored keys are named") {
  const Directory directory;
  const Configured zoo = configured({directory.write("zoo.cfg", zoo_sample)});
  CHECK(zoo.config.data_dir == "/tmp/zookeeper");
  CHECK(zoo.config.tick_time.count() == 2000);
  CHECK(zoo.config.init_limit_heartbeats == 400);
  CHECK(zoo.config.sync_limit_heartbeats == 200);
  CHECK(zoo.config.web.port == 2180);
  CHECK(zoo.ignored == std::vector<std::string>{"admin.serverPort", "autopurge.purgeInterval",
                                                "metricsProvider.className",
                                                "metricsProvider.httpHost",
                                                "snapshot.trust.empty"});
  CHECK(zoo.config.client == Address{"0.0.0.0", 2181});
  CHECK(zoo.config.words == std::vector<std::string>{"stat", "ruok"});
}

TEST_CASE("clientPort is one more port, and has its own address") {
  struct Row {
    std::vector<std::string> arguments;
    Address client;
    std::string note;
  };
  const Row rows[] = {
      {{"--webPort=2180"}, {"0.0.0.0", 0}, ""},
      {{"--clientPort=2181"}, {"0.0.0.0", 2181}, "clientPort=2181 listens on every address"},
      {{"--clientPort=2181", "--clientPortAddress=127.0.0.1"}, {"127.0.0.1", 2181}, ""},
      {{"--clientPort=-1"}, {"0.0.0.0", 0}, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.arguments.front());
    const Configured configuration = configured(row.arguments);
    CHECK(configuration.config.client == row.client);
    CHECK(has(configuration.notes, "listens on every address") == !row.note.empty());
    CHECK((row.note.empty() || has(configuration.notes, row.note)));
  }
  CHECK(configured({"--readonlymode.enabled=true"}).config.words ==
        std::vector<std::string>{"srvr", "isro"});
}

// The addresses that a server listens on are not those that clients are told.
TEST_CASE("clients are never told to connect to 0.0.0.0") {
  const auto with = [](const std::string& own, std::vector<std::string> more) {
    std::vector<std::string> arguments{"--myid=1", "--dataDir=/x", "--server.1=" + own,
                                       "--server.2=zoo2:2888;2181", "--server.3=zoo3:2888;2181"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return configured(arguments);
  };
  const std::vector<std::string> others{"ws://zoo2:2181/v1", "ws://zoo3:2181/v1"};
  const char* const note =
      "clients do not learn the address of server 1, because its line says 0.0.0.0; add "
      "web.1=HOST:PORT with an address that clients can reach";
  for (const char* own : {"0.0.0.0:2888;2181", "0.0.0.0:2888;0.0.0.0:2181", "0.0.0.0:2888"}) {
    CAPTURE(own);
    const Configured unknown = with(own, {});
    CHECK(unknown.config.servers[0].peer == Address{"0.0.0.0", 2888});
    CHECK(unknown.config.advertised == others);
    CHECK(has(unknown.notes, note));
  }
  struct Row {
    const char* own;
    const char* more;
    const char* url;
  };
  for (const Row& row : {
           Row{"0.0.0.0:2888", "--web.1=zoo1:2181", "ws://zoo1:2181/v1"},
           Row{"0.0.0.0:2888;zoo1:2181", "--webPort=2181", "ws://zoo1:2181/v1"},
           Row{"0.0.0.0:2888|zoo1:2889;2181", "--webPort=2181", "ws://zoo1:2181/v1"},
           Row{"0.0.0.0:2888;2181", "--webAddress=10.0.0.1", "ws://10.0.0.1:2181/v1"},
       }) {
    CAPTURE(row.own);
    const Configured known = with(row.own, {row.more});
    REQUIRE(known.config.advertised.size() == 3);
    CHECK(known.config.advertised[0] == row.url);
    CHECK(!has(known.notes, note));
  }
  CHECK(with("zoo1:2888;2181", {"--quorumListenOnAllIPs=true"}).config.listen_on_all);
}

TEST_CASE("myid as a key and as a file must agree") {
  const Directory directory;
  directory.write("myid", "2\n");
  const std::vector<std::string> ensemble{"--server.1=a:1", "--server.2=b:1", "--server.3=c:1",
                                          "--dataDir=" + directory / ""};
  const auto with = [&](const char* more) {
    auto arguments = ensemble;
    arguments.emplace_back(more);
    return arguments;
  };
  CHECK(configured(ensemble).config.id == 2);
  CHECK(configured(with("--myid=2")).config.id == 2);
  CHECK(contains(refused(with("--myid=3")), "myid=3, but " + directory / "myid" + " says 2"));
  // A standalone server ignores the file, as in ZooKeeper.
  CHECK(configured({"--myid=3", "--dataDir=" + directory / ""}).config.id == 3);
}

TEST_CASE("ZooKeeper's configuration of an ensemble is accepted") {
  const Directory directory;
  directory.write("myid", "2\n");
  const std::string file =
      directory.write("zoo.cfg",
                      "tickTime=2000\ninitLimit=10\nsyncLimit=5\nclientPort=2181\n"
                      "standaloneEnabled=false\ndataDir=" +
                          directory / "" +
                          "\n"
                          "server.1=zoo1:2888:3888\n"
                          "server.2=zoo2:2888:3888:participant;0.0.0.0:2181\n"
                          "server.3=zoo3-a:2888:3888|zoo3-b:2889:3889\n"
                          "server.4=[2001:db8::4]:2888:3888:observer;2182\n");
  const Configured zoo = configured({file});
  const Config& config = zoo.config;
  CHECK(config.id == 2);
  REQUIRE(config.servers.size() == 4);
  CHECK(config.servers[0] == ServerLine{1, {"zoo1", 2888}, false, 1, 0, {"zoo1", 2181}});
  CHECK(config.servers[1] == ServerLine{2, {"zoo2", 2888}, false, 1, 0, {"zoo2", 2181}});
  CHECK(config.servers[2].peer == Address{"zoo3-a", 2888});
  CHECK(config.servers[2].further == std::vector<Address>{{"zoo3-b", 2889}});
  CHECK(config.servers[3] ==
        ServerLine{4, {"2001:db8::4", 2888}, true, 1, 0, {"2001:db8::4", 2182}});
  CHECK(config.web == Address{"0.0.0.0", 2181});
  CHECK(config.advertised == std::vector<std::string>{"ws://zoo1:2181/v1", "ws://zoo2:2181/v1",
                                                      "ws://zoo3-a:2181/v1",
                                                      "ws://[2001:db8::4]:2182/v1"});
}

TEST_CASE("a single server line means standalone, as in ZooKeeper") {
  const Configured lone = configured({"--server.7=localhost:2888:3888;2199", "--dataDir=/x"});
  CHECK(lone.config.servers.empty());
  CHECK(lone.config.id == 7);
  CHECK(lone.config.web.port == 2199);
  CHECK(has(lone.notes, "standalone"));
}

TEST_CASE("the servers can be in a dynamicConfigFile") {
  const Directory directory;
  const std::string servers = directory.write("zoo.cfg.dynamic",
                                              "server.1=a:2888:3888\n"
                                              "server.2=b:2888:3888\n"
                                              "server.3=c:2888:3888\nversion=0\n");
  const Configured zoo = configured({"--dynamicConfigFile", servers, "--myid=3", "--dataDir=/x"});
  CHECK(zoo.config.servers.size() == 3);
  CHECK(contains(refused({"--dynamicConfigFile=/nowhere/x"}), "/nowhere/x"));
}

TEST_CASE("a configuration file is read like Java properties") {
  const FileSettings file = read_settings(
      "\xEF\xBB\xBF# comment\r\n! comment\n\n  tickTime = 1000 \r\nwebPort:2190\n"
      "dataDir=/a\\\\b\n"
      "allowedHosts=a,\\\n   b\nlogLevel=\nwebPort=2191\nnonsense\n",
      "f");
  CHECK(file.settings.at("tickTime").value == "1000");
  CHECK(file.settings.at("tickTime").source == "f:4");
  CHECK(file.settings.at("dataDir").value == "/a\\b");
  CHECK(file.settings.at("allowedHosts").value == "a,b");
  CHECK(file.settings.at("logLevel").value.empty());
  CHECK(file.settings.at("webPort").value == "2191");
  CHECK(file.notes ==
        std::vector<std::string>{"f:10: webPort is set twice; this line counts, not f:5"});
  CHECK(file.errors == std::vector<std::string>{"f:11: \"nonsense\" is not key=value"});
}

TEST_CASE("options override the environment, which overrides the file, which overrides defaults") {
  const Directory directory;
  const std::string file =
      directory.write("c.cfg", "webPort=1001\ntickTime=1001\nmaxWatches=1001\n");
  const Config config = configured({"--webPort", "1003", file},
                                   {"ZABKEEPER_WEB_PORT=1002", "ZABKEEPER_TICK_TIME=1002",
                                    "ZABKEEPER_SERVICE_HOST=10.0.0.1", "PATH=/bin"})
                            .config;
  CHECK(config.web.port == 1003);
  CHECK(config.tick_time.count() == 1002);
  CHECK(config.max_watches == 1001);
  CHECK(config.max_multi_ops == 1000);
}

TEST_CASE("values of all kinds are read") {
  const Config config =
      configured({"--server.1=a:1", "--server.2=b:1", "--server.3=c:1", "--dataDir=/x", "--myid=1",
                  "--group.1=1:2", "--group.2=3", "--weight.3=2",
                  "--allowedOrigins=https://a, http://b", "--allowedHosts=lb",
                  "--jute.maxbuffer=0x200000", "--preAllocSize=1024", "--minSessionTimeout=-1",
                  "--maxSessionTimeout=60000", "--webAddress=[::1]", "--dataLogDir=/log",
                  "--heartbeatMs=10", "--maxClientCnxns=0"})
          .config;
  CHECK(config.servers[0].group == 1);
  CHECK(config.servers[2].group == 2);
  CHECK(config.servers[2].weight == 2);
  CHECK(config.origins == std::vector<std::string>{"https://a", "http://b"});
  CHECK(config.hosts == std::vector<std::string>{"lb"});
  CHECK(config.max_data_bytes == 2 * 1024 * 1024);
  CHECK(config.max_reply_bytes == 16 * 1024 * 1024);
  CHECK(configured({"--dataDir=/x", "--maxDataBytes=4194304"}).config.max_reply_bytes ==
        6 * 4 * 1024 * 1024 + 64 * 1024);
  CHECK(config.log_segment_bytes == 1024 * 1024);
  CHECK(config.min_session_timeout.count() == 4000);
  CHECK(config.max_session_timeout.count() == 60000);
  CHECK(config.web.host == "::1");
  CHECK(config.log_dir == "/log");
  CHECK(config.heartbeat.count() == 10);
  CHECK(config.max_client_connections == 0);
}

TEST_CASE("how long containers are kept is set by own keys, or by ZooKeeper's") {
  using std::chrono::milliseconds;
  const auto kept = [](const std::vector<std::string>& arguments) {
    const Config config = configured(arguments).config;
    return std::pair(config.container_idle, config.container_unused);
  };
  CHECK(kept({}) == std::pair(milliseconds(60'000), milliseconds(0)));
  CHECK(
      kept({"--znode.container.checkIntervalMs=5", "--znode.container.maxNeverUsedIntervalMs=7"}) ==
      std::pair(milliseconds(5), milliseconds(7)));
  CHECK(kept({"--containerIdleMs=0", "--znode.container.checkIntervalMs=5",
              "--containerUnusedMs=1000", "--znode.container.maxNeverUsedIntervalMs=7"}) ==
        std::pair(milliseconds(0), milliseconds(1000)));
}

TEST_CASE("superDigest is set as in ZooKeeper, and an error does not repeat it") {
  const std::string digest = "super:UdxDQl4f9v5oITwcAsO9bmWgHSI=";
  CHECK(configured({"--superDigest=" + digest}).config.super_digest == digest);
  CHECK(configured({"--DigestAuthenticationProvider.superDigest=" + digest}).config.super_digest ==
        digest);
  CHECK(configured({}).config.super_digest.empty());
  for (const char* wrong : {"super:secret", "secret", "super:", "UdxDQl4f9v5oITwcAsO9bmWgHSI="}) {
    CAPTURE(wrong);
    const std::string text = refused({std::string("--superDigest=") + wrong});
    CHECK(contains(text, "superDigest is not user:base64(sha1(user:password))"));
    CHECK_FALSE(contains(text, "secret"));
  }
}

TEST_CASE("sizes that only ZooKeeper accepts become the nearest possible ones, with a note") {
  const Configured zoo =
      configured({"--dataDir=/x", "--preAllocSize=1", "--jute.maxbuffer=2000000000"});
  CHECK(zoo.config.log_segment_bytes == 64 * 1024);
  CHECK(zoo.config.max_data_bytes == 31 * 1024 * 1024);
  CHECK(has(zoo.notes, "preAllocSize=1 is out of range; 64 is used"));
  CHECK(has(zoo.notes, "jute.maxbuffer=2000000000 is out of range; 32505856 is used"));
}

TEST_CASE("notes tell the operator about doubtful settings") {
  const std::vector<std::string> notes =
      configured({"--server.1=db1:1", "--server.2=db2:1", "--dataDir=/x", "--myid=1",
                  "--peerType=observer"})
          .notes;
  CHECK(has(notes, "webPort listens on 127.0.0.1 only"));
  CHECK(has(notes, "two voting servers"));
  CHECK(has(notes, "is a participant"));
  CHECK(has(
      configured({"--server.1=h:1", "--server.2=h:2", "--server.3=h:3", "--dataDir=/x", "--myid=1"})
          .notes,
      "clients do not learn the address of server 2"));
}

TEST_CASE("the configurations in conf/ are accepted without a note") {
  const std::filesystem::path conf = support::source("conf");
  const Configured standalone = configured({conf / "standalone.cfg"});
  CHECK(standalone.notes.empty());
  CHECK(standalone.ignored.empty());
  CHECK(standalone.config.servers.empty());

  for (const std::uint32_t id : {1u, 2u, 3u}) {
    const Configured member = configured({conf / "ensemble" / (std::to_string(id) + ".cfg")});
    CHECK(member.notes.empty());
    CHECK(member.ignored.empty());
    CHECK(member.config.id == id);
    CHECK(member.config.data_dir == "build/run/" + std::to_string(id));
    CHECK(member.config.web == Address{"127.0.0.1", static_cast<std::uint16_t>(2170 + 10 * id)});
    CHECK(member.config.servers[id - 1].peer ==
          Address{"127.0.0.1", static_cast<std::uint16_t>(2887 + id)});
    CHECK(member.config.advertised == std::vector<std::string>{"ws://127.0.0.1:2180/v1",
                                                               "ws://127.0.0.1:2190/v1",
                                                               "ws://127.0.0.1:2200/v1"});
  }
}

}  // namespace
}  // namespace server::test
