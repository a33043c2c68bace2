#include "server/config/config.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "server/config/command_line.h"
#include "server/config/config_keys.h"

namespace {

using server::Config;
using server::Configured;
using server::PrintAndExit;

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  REQUIRE_MESSAGE(file, path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

// A folder that is gone with the test.
class Folder {
 public:
  Folder() {
    std::string path = (std::filesystem::temp_directory_path() / "config_test_XXXXXX").string();
    REQUIRE(mkdtemp(path.data()) != nullptr);
    path_ = path;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string operator/(const std::string& name) const {
    return (path_ / name).string();
  }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(*this / name) << text;
    return *this / name;
  }

 private:
  std::filesystem::path path_;
};

std::variant<server::RunServer, PrintAndExit> start(std::vector<std::string> arguments,
                                                    std::vector<std::string> environment = {}) {
  arguments.insert(arguments.begin(), "zabkeeper");
  std::vector<const char*> argv;
  std::vector<const char*> envp;
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  for (const std::string& variable : environment) envp.push_back(variable.c_str());
  envp.push_back(nullptr);
  return server::parse_command_line(static_cast<int>(argv.size()), argv.data(), envp.data(),
                                    "1.2.3");
}

Configured configured(std::vector<std::string> arguments,
                      std::vector<std::string> environment = {}) {
  auto outcome = start(std::move(arguments), std::move(environment));
  if (const PrintAndExit* say = std::get_if<PrintAndExit>(&outcome)) FAIL(say->text);
  return std::get<server::RunServer>(std::move(outcome)).configured;
}

std::string refused(std::vector<std::string> arguments) {
  auto outcome = start(std::move(arguments));
  REQUIRE(std::holds_alternative<PrintAndExit>(outcome));
  CHECK(std::get<PrintAndExit>(outcome).exit_code == 2);
  return std::get<PrintAndExit>(outcome).text;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool has(const std::vector<std::string>& list, const std::string& part) {
  return std::ranges::any_of(list, [&](const std::string& item) { return contains(item, part); });
}

bool has_key(const std::vector<std::string>& list, const std::string& key) {
  return std::ranges::find(list, key) != list.end();
}

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
  CHECK(config.web == server::Address{"127.0.0.1", 2180});
  CHECK(config.advertised == std::vector<std::string>{"ws://127.0.0.1:2180/v1"});
  CHECK(has(defaults.notes, std::filesystem::absolute("zabkeeper-data").string()));
  CHECK(defaults.ignored.empty());
}

TEST_CASE("a default written out is the default") {
  const Config defaults = configured({"--dataDir=zabkeeper-data"}).config;
  for (const server::Key& key : server::config_keys()) {
    if (key.fallback.starts_with('(') || key.name.ends_with(".N")) continue;
    CAPTURE(key.name);
    const Config said = configured({"--" + std::string(key.name), std::string(key.fallback),
                                    "--dataDir=zabkeeper-data"})
                            .config;
    CHECK(said.web == defaults.web);
    CHECK(said.data_dir == defaults.data_dir);
    CHECK(said.tick_time == defaults.tick_time);
    CHECK(said.heartbeat == defaults.heartbeat);
    CHECK(said.min_session_timeout == defaults.min_session_timeout);
    CHECK(said.max_session_timeout == defaults.max_session_timeout);
    CHECK(said.max_client_connections == defaults.max_client_connections);
    CHECK(said.max_connections == defaults.max_connections);
    CHECK(said.max_outstanding_requests == defaults.max_outstanding_requests);
    CHECK(said.max_watches == defaults.max_watches);
    CHECK(said.max_multi_ops == defaults.max_multi_ops);
    CHECK(said.max_data_bytes == defaults.max_data_bytes);
    CHECK(said.log_segment_bytes == defaults.log_segment_bytes);
    CHECK(said.log_level == defaults.log_level);
  }
}

TEST_CASE("ZooKeeper's sample configuration starts this server, and idle keys are named") {
  const Folder folder;
  const Configured zoo = configured({folder.write("zoo.cfg", zoo_sample)});
  CHECK(zoo.config.data_dir == "/tmp/zookeeper");
  CHECK(zoo.config.tick_time.count() == 2000);
  CHECK(zoo.config.init_limit_heartbeats == 400);
  CHECK(zoo.config.sync_limit_heartbeats == 200);
  CHECK(zoo.config.web.port == 2180);
  CHECK(zoo.ignored == std::vector<std::string>{
                           "4lw.commands.whitelist", "admin.serverPort", "autopurge.purgeInterval",
                           "clientPort", "metricsProvider.className", "metricsProvider.httpHost",
                           "snapshot.trust.empty"});
}

TEST_CASE("every key that ZooKeeper has is known: used, or named as one without a use") {
  const std::string file =
      std::filesystem::path(ZABKEEPER_SOURCE_DIR) / "tests/server/zoo_all_keys.cfg";
  const Configured zoo = configured({file, "--dataDir=/x"});
  std::istringstream lines(content_of(file));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::string key = line.substr(0, line.find('='));
    if (key.starts_with("zookeeper.")) key.erase(0, std::string("zookeeper.").size());
    CAPTURE(key);
    CHECK((server::find_key(key) != nullptr) != has_key(zoo.ignored, key));
  }
  CHECK(has(zoo.notes, "clientPort=2181 is for ZooKeeper's own protocol"));
}

TEST_CASE("the id is in one place, or in two that agree") {
  const Folder folder;
  folder.write("myid", "2\n");
  const std::vector<std::string> ensemble{"--server.1=a:1", "--server.2=b:1", "--server.3=c:1",
                                          "--dataDir=" + folder / ""};
  const auto with = [&](const char* more) {
    auto arguments = ensemble;
    arguments.emplace_back(more);
    return arguments;
  };
  CHECK(configured(ensemble).config.id == 2);
  CHECK(configured(with("--myid=2")).config.id == 2);
  CHECK(contains(refused(with("--myid=3")), "myid=3, but " + folder / "myid" + " says 2"));
  // Alone it is what it is told to be, as in ZooKeeper.
  CHECK(configured({"--myid=3", "--dataDir=" + folder / ""}).config.id == 3);
}

TEST_CASE("ZooKeeper's configuration of an ensemble starts this server") {
  const Folder folder;
  folder.write("myid", "2\n");
  const std::string file =
      folder.write("zoo.cfg",
                   "tickTime=2000\ninitLimit=10\nsyncLimit=5\nclientPort=2181\n"
                   "standaloneEnabled=false\ndataDir=" +
                       folder / "" +
                       "\n"
                       "server.1=zoo1:2888:3888\n"
                       "server.2=zoo2:2888:3888:participant;0.0.0.0:2181\n"
                       "server.3=zoo3-a:2888:3888|zoo3-b:2889:3889\n"
                       "server.4=[2001:db8::4]:2888:3888:observer;2182\n");
  const Configured zoo = configured({file});
  const Config& config = zoo.config;
  CHECK(config.id == 2);
  REQUIRE(config.servers.size() == 4);
  CHECK(config.servers[0] == server::ServerLine{1, {"zoo1", 2888}, false, 1, 0, {"zoo1", 2181}});
  CHECK(config.servers[1] == server::ServerLine{2, {"zoo2", 2888}, false, 1, 0, {"zoo2", 2181}});
  CHECK(config.servers[2].peer == server::Address{"zoo3-a", 2888});
  CHECK(config.servers[3] ==
        server::ServerLine{4, {"2001:db8::4", 2888}, true, 1, 0, {"2001:db8::4", 2182}});
  CHECK(config.web == server::Address{"0.0.0.0", 2181});
  CHECK(config.advertised == std::vector<std::string>{"ws://zoo1:2181/v1", "ws://zoo2:2181/v1",
                                                      "ws://zoo3-a:2181/v1",
                                                      "ws://[2001:db8::4]:2182/v1"});
  CHECK(has(zoo.notes, "the first is used, zoo3-a:2888"));
}

TEST_CASE("a lone server line means standalone, as in ZooKeeper") {
  const Configured lone = configured({"--server.7=localhost:2888:3888;2199", "--dataDir=/x"});
  CHECK(lone.config.servers.empty());
  CHECK(lone.config.id == 7);
  CHECK(lone.config.web.port == 2199);
  CHECK(has(lone.notes, "standalone"));
}

TEST_CASE("the servers may stand in a dynamicConfigFile") {
  const Folder folder;
  const std::string servers = folder.write("zoo.cfg.dynamic",
                                           "server.1=a:2888:3888\n"
                                           "server.2=b:2888:3888\n"
                                           "server.3=c:2888:3888\nversion=0\n");
  const Configured zoo = configured({"--dynamicConfigFile", servers, "--myid=3", "--dataDir=/x"});
  CHECK(zoo.config.servers.size() == 3);
  CHECK(contains(refused({"--dynamicConfigFile=/nowhere/x"}), "/nowhere/x"));
}

TEST_CASE("a file is read like Java properties") {
  const server::FileSettings file = server::read_settings(
      "\xEF\xBB\xBF# comment\r\n! comment\n\n  tickTime = 1000 \r\nwebPort:2190\n"
      "dataDir=/a\\\\b\n"
      "allowedHosts=a,\\\n   b\nlogLevel=\nwebPort=2191\nnonsense\n",
      "f");
  CHECK(file.settings.at("tickTime").value == "1000");
  CHECK(file.settings.at("tickTime").place == "f:4");
  CHECK(file.settings.at("dataDir").value == "/a\\b");
  CHECK(file.settings.at("allowedHosts").value == "a,b");
  CHECK(file.settings.at("logLevel").value.empty());
  CHECK(file.settings.at("webPort").value == "2191");
  CHECK(file.notes ==
        std::vector<std::string>{"f:10: webPort is set twice, and this line holds, not f:5"});
  CHECK(file.complaints == std::vector<std::string>{"f:11: \"nonsense\" is not key=value"});
}

TEST_CASE("an option beats the environment, which beats the file, which beats the default") {
  const Folder folder;
  const std::string file = folder.write("c.cfg", "webPort=1001\ntickTime=1001\nmaxWatches=1001\n");
  const Config config = configured({"--webPort", "1003", file},
                                   {"ZABKEEPER_WEB_PORT=1002", "ZABKEEPER_TICK_TIME=1002",
                                    "ZABKEEPER_SERVICE_HOST=10.0.0.1", "PATH=/bin"})
                            .config;
  CHECK(config.web.port == 1003);
  CHECK(config.tick_time.count() == 1002);
  CHECK(config.max_watches == 1001);
  CHECK(config.max_multi_ops == 1000);
}

TEST_CASE("every key has a variable in the environment") {
  CHECK(server::environment_name("tickTime") == "ZABKEEPER_TICK_TIME");
  CHECK(server::environment_name("jute.maxbuffer") == "ZABKEEPER_JUTE_MAXBUFFER");
  const Config config =
      configured({}, {"ZABKEEPER_SERVER_1=a:1", "ZABKEEPER_SERVER_2=b:1", "ZABKEEPER_MYID=2",
                      "ZABKEEPER_DATA_DIR=/x", "ZABKEEPER_WEB_1=a:99"})
          .config;
  CHECK(config.id == 2);
  REQUIRE(config.servers.size() == 2);
  CHECK(config.servers[0].web == server::Address{"a", 99});
}

TEST_CASE("a misspelt key is refused with the nearest that there is") {
  CHECK(contains(refused({"--tickTme=1"}), "there is no key tickTme; did you mean tickTime?"));
  CHECK(contains(refused({"--webport=1"}), "did you mean webPort?"));
  CHECK(contains(refused({"--snapCont=1"}), "did you mean snapCount?"));
  CHECK(contains(refused({"--colour=red"}), "there is no key colour; --help lists them all"));
}

TEST_CASE("all complaints come at once, each with its place") {
  const Folder folder;
  const std::string file = folder.write("c.cfg",
                                        "tickTime=soon\nwebPrt=1\nserver.1=a:1\n"
                                        "server.2=a:1\nserver.3=c\nserver.1=x:1\n");
  const std::string text = refused({file, "--maxMultiOps=0", "--myid=9", "extra.cfg"});
  for (const std::string& part :
       {file + ":1: tickTime=soon is not a whole number from 10 to 600000",
        file + ":2: there is no key webPrt; did you mean webPort?",
        file + ":5: server.3=c is not host:peerPort",
        file + ":6: server.1 is set twice, first at " + file + ":3",
        std::string("command line: maxMultiOps=0 is not a whole number from 1 to 16384"),
        std::string("extra.cfg is neither the one configuration file nor a --key"),
        std::string("dataDir is not set"), std::string("there are server lines for 1, 2 only")}) {
    CAPTURE(text);
    CHECK_MESSAGE(contains(text, part), part);
  }
}

TEST_CASE("what cannot be meant is refused") {
  struct Row {
    std::vector<std::string> arguments;
    std::string complaint;
  };
  const std::vector<std::string> three = {"--server.1=a:1", "--server.2=b:1", "--server.3=c:1",
                                          "--dataDir=/nowhere"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), three.begin(), three.end());
    return more;
  };
  const Row rows[] = {
      {{"--tickTime=0"}, "tickTime=0 is not"},
      {{"--readonlymode.enabled=yes"}, "readonlymode.enabled=yes is neither true nor false"},
      {{"--tickTime=-1"}, "tickTime=-1 is not"},
      {{"--tickTime="}, "tickTime= is not"},
      {{"--tickTime=1e3"}, "tickTime=1e3 is not"},
      {{"--tickTime=99999999999999999999"}, "is not"},
      {{"--webPort=65536"}, "webPort=65536 is not"},
      {{"--webAddress=a b"}, "webAddress=a b is not an address"},
      {{"--initLimit=0"}, "initLimit=0 is not"},
      {{"--syncLimit=0"}, "syncLimit=0 is not"},
      {{"--syncLimit=1", "--tickTime=10"}, "less than two heartbeats"},
      {{"--heartbeatMs=0"}, "heartbeatMs=0 is not"},
      {{"--minSessionTimeout=0"}, "minSessionTimeout=0 is not"},
      {{"--minSessionTimeout=9000", "--maxSessionTimeout=8000"}, "is more than maxSessionTimeout"},
      {{"--maxClientCnxns=many"}, "maxClientCnxns=many is not"},
      {{"--maxOutstandingRequests=0"}, "maxOutstandingRequests=0 is not"},
      {{"--maxDataBytes=1"}, "maxDataBytes=1 is not"},
      {{"--logSegmentBytes=1"}, "logSegmentBytes=1 is not"},
      {{"--logLevel=loud"}, "logLevel=loud is none of"},
      {{"--peerType=king"}, "peerType=king is neither"},
      {{"--dataDir="}, "dataDir= names no folder"},
      {{"--myid=0"}, "myid=0 is not"},
      {{"--server.0=a:1"}, "has no number from 1 to 65535"},
      {{"--server.70000=a:1"}, "has no number from 1 to 65535"},
      {{"--server.1=a:0"}, "is not host:peerPort"},
      {{"--server.1=a:1:x"}, "is not host:peerPort"},
      {{"--server.1=a:1:2:boss"}, "is not host:peerPort"},
      {{"--server.1=[::1:1"}, "is not host:peerPort"},
      {{"--server.1=a:1;"}, "has no port behind the ';'"},
      {{"--server.1=a:1;0"}, "has no port behind the ';'"},
      {with({}), "write its number into /nowhere/myid, or set myid="},
      {with({"--myid=4"}), "server lines for 1, 2, 3 only"},
      {with({"--myid=1", "--server.4=b:1"}), "b:1 is used twice, by the servers 2 and 4"},
      {with({"--myid=1", "--web.1=a:9", "--web.2=a:9"}), "a:9 is used twice"},
      {with({"--myid=1", "--web.1=a:1"}), "a:1 is used twice, by server 1"},
      {with({"--myid=1", "--web.9=a:9"}), "there is no server.9"},
      {with({"--myid=1", "--web.1=a"}), "web.1=a is not host:port"},
      {with({"--myid=1", "--weight.9=1"}), "weight.9 names server 9"},
      {with({"--myid=1", "--weight.1=0", "--weight.2=0", "--weight.3=0"}), "nobody can vote"},
      {with({"--myid=1", "--group.1=1:2"}), "server 3 votes and is in none of the groups"},
      {with({"--myid=1", "--group.1=1:2", "--group.2=2:3"}),
       "server 2 is in group.1 and in group.2"},
      {with({"--myid=1", "--group.1=1:2:3:4"}), "group.1 names server 4"},
      {with({"--myid=1", "--group.1=1,2"}), "is not a list of server numbers"},
      {{"--server.1=a:1", "--server.2=b:1", "--myid=1"}, "dataDir is not set"},
      {{"/nowhere/zoo.cfg"}, "cannot read the configuration file /nowhere/zoo.cfg"},
      {{"/"}, "/ is a folder"},
      {{"--tickTime"}, "--tickTime needs a value"},
      {{"-x"}, "-x is neither"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.complaint);
    const std::string text = refused(row.arguments);
    CAPTURE(text);
    CHECK(contains(text, row.complaint));
  }
}

TEST_CASE("values are taken over") {
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
  CHECK(config.log_segment_bytes == 1024 * 1024);
  CHECK(config.min_session_timeout.count() == 4000);
  CHECK(config.max_session_timeout.count() == 60000);
  CHECK(config.web.host == "::1");
  CHECK(config.log_dir == "/log");
  CHECK(config.heartbeat.count() == 10);
  CHECK(config.max_client_connections == 0);
}

TEST_CASE("who may do everything is said as in ZooKeeper, and not repeated where it is wrong") {
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

TEST_CASE("sizes that only ZooKeeper takes become the nearest possible, and that is said") {
  const Configured zoo =
      configured({"--dataDir=/x", "--preAllocSize=1", "--jute.maxbuffer=2000000000"});
  CHECK(zoo.config.log_segment_bytes == 64 * 1024);
  CHECK(zoo.config.max_data_bytes == 256 * 1024 * 1024);
  CHECK(has(zoo.notes, "preAllocSize=1 counts as 64"));
  CHECK(has(zoo.notes, "jute.maxbuffer=2000000000 counts as 268435456"));
}

TEST_CASE("what an operator should know is said") {
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
      "clients are not told of server 2"));
}

TEST_CASE("--help explains every key, --version is brief") {
  const auto help = std::get<PrintAndExit>(start({"--help"}));
  CHECK(help.exit_code == 0);
  for (const server::Key& key : server::config_keys()) {
    CHECK_MESSAGE(contains(help.text, "--" + std::string(key.name) + " "), key.name);
  }
  CHECK(std::get<PrintAndExit>(start({"--version"})).text == "zabkeeper 1.2.3\n");
}

TEST_CASE("docs/configuration.md has every key, with its default, and no other") {
  std::istringstream page(
      content_of(std::filesystem::path(ZABKEEPER_SOURCE_DIR) / "docs/configuration.md"));
  std::vector<std::string> on_page;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `")) continue;
    const std::string name = line.substr(3, line.find('`', 3) - 3);
    on_page.push_back(name);
    const auto keys = server::config_keys();
    const auto key = std::ranges::find(keys, name, &server::Key::name);
    REQUIRE_MESSAGE(key != keys.end(), name);
    if (!key->fallback.starts_with('(')) {
      CHECK_MESSAGE(contains(line, "| `" + std::string(key->fallback) + "` |"), line);
    }
  }
  std::ranges::sort(on_page);
  std::vector<std::string> in_table;
  for (const server::Key& key : server::config_keys()) in_table.emplace_back(key.name);
  std::ranges::sort(in_table);
  CHECK(on_page == in_table);
}

TEST_CASE("the configurations in conf are good") {
  const std::filesystem::path conf = std::filesystem::path(ZABKEEPER_SOURCE_DIR) / "conf";
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
    CHECK(member.config.web ==
          server::Address{"127.0.0.1", static_cast<std::uint16_t>(2170 + 10 * id)});
    CHECK(member.config.servers[id - 1].peer ==
          server::Address{"127.0.0.1", static_cast<std::uint16_t>(2887 + id)});
    CHECK(member.config.advertised == std::vector<std::string>{"ws://127.0.0.1:2180/v1",
                                                               "ws://127.0.0.1:2190/v1",
                                                               "ws://127.0.0.1:2200/v1"});
  }
}

TEST_CASE("idle keys of ZooKeeper are known by their families") {
  CHECK(server::is_ignored_key("ssl.quorum.keyStore.location"));
  CHECK(server::is_ignored_key("forceSync"));
  CHECK_FALSE(server::is_ignored_key("forceSyncs"));
  CHECK_FALSE(server::is_ignored_key("tickTime"));
  CHECK(has_key(configured({"--skipACL=no"}).ignored, "skipACL"));
}

}  // namespace
