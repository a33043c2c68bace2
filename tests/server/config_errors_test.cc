#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/server/config_harness.h"

namespace server::test {
namespace {

TEST_CASE("a misspelt key is an error that names the most similar key") {
  CHECK(contains(refused({"--tickTme=1"}), "unknown key tickTme; did you mean tickTime?"));
  CHECK(contains(refused({"--webport=1"}), "did you mean webPort?"));
  CHECK(contains(refused({"--snapCont=1"}), "did you mean snapCount?"));
  CHECK(contains(refused({"--colour=red"}), "unknown key colour; --help lists all keys"));
}

TEST_CASE("all errors are printed at once, each with its source") {
  const Directory directory;
  const std::string file = directory.write("c.cfg",
                                           "tickTime=soon\nwebPrt=1\nserver.1=a:1\n"
                                           "server.2=a:1\nserver.3=c\nserver.1=x:1\n");
  const std::string text = refused({file, "--maxMultiOps=0", "--myid=9", "extra.cfg"});
  for (const std::string& part :
       {file + ":1: tickTime=soon is not a whole number from 10 to 600000",
        file + ":2: unknown key webPrt; did you mean webPort?",
        file + ":5: server.3=c is not host:peerPort",
        file + ":6: server.1 is set twice, first at " + file + ":3",
        std::string("command line: maxMultiOps=0 is not a whole number from 1 to 16384"),
        std::string("extra.cfg is a second configuration file"), std::string("dataDir is not set"),
        std::string("there are server lines for 1, 2 only")}) {
    CAPTURE(text);
    CHECK_MESSAGE(contains(text, part), part);
  }
}

TEST_CASE("invalid values and contradictions are errors") {
  struct Row {
    std::vector<std::string> arguments;
    std::string error;
  };
  const std::vector<std::string> three = {"--server.1=a:1", "--server.2=b:1", "--server.3=c:1",
                                          "--dataDir=/nowhere"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), three.begin(), three.end());
    return more;
  };
  const Row rows[] = {
      {{"--tickTime=0"}, "tickTime=0 is not"},
      {{"--maxDataBytes=33554432"}, "maxDataBytes=33554432 is not a whole number from 1024 to"},
      {{"--maxDataBytes=1048576", "--maxReplyBytes=6000000"},
       "maxReplyBytes=6000000 is less than 6 times maxDataBytes and 64 KiB, 6356992: a client "
       "could "
       "not read what it wrote"},
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
      {{"--containerIdleMs=-1"}, "containerIdleMs=-1 is not"},
      {{"--containerUnusedMs=off"}, "containerUnusedMs=off is not"},
      {{"--minSessionTimeout=0"}, "minSessionTimeout=0 is not"},
      {{"--minSessionTimeout=9000", "--maxSessionTimeout=8000"}, "is more than maxSessionTimeout"},
      {{"--maxClientCnxns=many"}, "maxClientCnxns=many is not"},
      {{"--maxClientSessions=some"}, "maxClientSessions=some is not"},
      {{"--clientSessionsPerSecond=1000001"}, "clientSessionsPerSecond=1000001 is not"},
      {{"--maxOutstandingRequests=0"}, "maxOutstandingRequests=0 is not"},
      {{"--maxOutstandingRequests=1000001"}, "is not a whole number from 1 to 1000000"},
      {{"--maxDataBytes=1"}, "maxDataBytes=1 is not"},
      {{"--logSegmentBytes=1"}, "logSegmentBytes=1 is not"},
      {{"--logLevel=loud"}, "logLevel=loud is none of"},
      {{"--peerType=king"}, "peerType=king is neither"},
      {{"--dataDir="}, "dataDir= has no value"},
      {{"--myid=0"}, "myid=0 is not"},
      {{"--server.0=a:1"}, "needs a number from 1 to 65535"},
      {{"--server.70000=a:1"}, "needs a number from 1 to 65535"},
      {{"--server.1=a:0"}, "is not host:peerPort"},
      {{"--server.1=a:1:x"}, "is not host:peerPort"},
      {{"--server.1=a:1:2:boss"}, "is not host:peerPort"},
      {{"--server.1=[::1:1"}, "is not host:peerPort"},
      {{"--server.1=a:1;"}, "has no port behind the ';'"},
      {{"--server.1=a:1;0"}, "has no port behind the ';'"},
      {with({}), "is not set: write it into the file /nowhere/myid, or set myid="},
      {with({"--myid=4"}), "server lines for 1, 2, 3 only"},
      {with({"--myid=1", "--server.4=b:1"}), "b:1 is used twice, by the servers 2 and 4"},
      {with({"--myid=1", "--web.1=a:9", "--web.2=a:9"}), "a:9 is used twice"},
      {with({"--myid=1", "--web.1=a:1"}), "a:1 is used twice, by server 1"},
      {with({"--myid=1", "--web.9=a:9"}), "there is no server.9"},
      {with({"--myid=1", "--web.1=a"}), "web.1=a is not host:port"},
      {with({"--myid=1", "--weight.9=1"}), "weight.9 names server 9"},
      {with({"--myid=1", "--weight.1=0", "--weight.2=0", "--weight.3=0"}), "no server can vote"},
      {with({"--myid=1", "--group.1=1:2"}), "server 3 votes and is in none of the groups"},
      {with({"--myid=1", "--group.1=1:2", "--group.2=2:3"}),
       "server 2 is in group.1 and in group.2"},
      {with({"--myid=1", "--group.1=1:2:3:4"}), "group.1 names server 4"},
      {with({"--myid=1", "--group.1=1,2"}), "is not a list of server numbers"},
      {{"--server.1=a:1", "--server.2=b:1", "--myid=1"}, "dataDir is not set"},
      {{"/nowhere/zoo.cfg"},
       "cannot read the configuration file /nowhere/zoo.cfg: there is no such file"},
      {{"/"}, "cannot read the configuration file /: it is a directory"},
      {{"--tickTime"}, "--tickTime needs a value"},
      {{"-x"}, "-x is not an option"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.error);
    const std::string text = refused(row.arguments);
    CAPTURE(text);
    CHECK(contains(text, row.error));
  }
}

}  // namespace
}  // namespace server::test
