#include "server/clients/gate.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "server/config.h"

namespace {

using server::Gate;
using server::RequestHead;

server::Config config() {
  server::Config config;
  config.web = {"zk.example", 2180};
  config.servers = {{1, {"peer1", 2888}, false, 1, 0, {"Web1.example", 2180}}};
  config.hosts = {"lb.example"};
  config.origins = {"https://console.example", "http://dev.example:3000"};
  return config;
}

RequestHead upgrade() {
  return {.method = "GET",
          .target = "/v1",
          .hosts = {"127.0.0.1:2180"},
          .upgrades = {"websocket"},
          .connections = {"keep-alive, Upgrade"},
          .keys = {"dGhlIHNhbXBsZSBub25jZQ=="},
          .versions = {"13"}};
}

unsigned status_of(const std::optional<server::Answer>& refusal) {
  return refusal ? refusal->status : 0;
}

TEST_CASE("a request must name this server as its host") {
  const Gate gate(config());
  struct Row {
    std::vector<std::string_view> hosts;
    unsigned refused;
  };
  const Row rows[] = {
      {{"127.0.0.1"}, 0},
      {{"127.0.0.1:2180"}, 0},
      {{"[::1]:2180"}, 0},
      {{"10.1.2.3:80"}, 0},
      {{"localhost:2180"}, 0},
      {{"LOCALHOST"}, 0},
      {{"zk.example:2180"}, 0},
      {{"zk.example."}, 0},
      {{"peer1"}, 0},
      {{"web1.example"}, 0},
      {{"lb.example:443"}, 0},
      {{"evil.example"}, 421},
      {{"evil.example:2180"}, 421},
      {{"127.0.0.1.evil.example"}, 421},
      {{"localhost.evil.example"}, 421},
      {{"127.0.0.1@evil.example"}, 421},
      {{"evil.example/127.0.0.1"}, 421},
      {{"[::1].evil.example"}, 421},
      {{"127.0.0.1:99999"}, 421},
      {{""}, 421},
      {{}, 400},
      {{"127.0.0.1", "127.0.0.1"}, 400},
  };
  for (const Row& row : rows) {
    CAPTURE(row.hosts.size());
    CAPTURE((row.hosts.empty() ? "" : row.hosts.front()));
    RequestHead request = upgrade();
    request.hosts = row.hosts;
    CHECK(status_of(gate.refuses(request)) == row.refused);
  }

  RequestHead old = upgrade();
  old.hosts = {};
  old.http_version = 10;
  CHECK(status_of(gate.refuses(old)) == 0);

  server::Config open = config();
  open.hosts = {"*"};
  RequestHead any = upgrade();
  any.hosts = {"anything.example"};
  CHECK(status_of(Gate(open).refuses(any)) == 0);
}

TEST_CASE("a web page may connect from its own server only, or from an allowed origin") {
  const Gate gate(config());
  struct Row {
    std::vector<std::string_view> origins;
    std::string_view host;
    unsigned refused;
  };
  const Row rows[] = {
      {{}, "zk.example:2180", 0},
      {{"http://zk.example:2180"}, "zk.example:2180", 0},
      {{"HTTP://ZK.example:2180"}, "zk.example:2180", 0},
      {{"http://zk.example"}, "zk.example", 0},
      {{"http://zk.example"}, "zk.example:80", 0},
      {{"https://zk.example"}, "zk.example:443", 0},
      {{"http://[::1]:2180"}, "[::1]:2180", 0},
      {{"https://console.example"}, "zk.example:2180", 0},
      {{"http://dev.example:3000"}, "zk.example:2180", 0},
      {{"http://console.example"}, "zk.example:2180", 403},
      {{"https://console.example:8443"}, "zk.example:2180", 403},
      {{"http://zk.example:3000"}, "zk.example:2180", 403},
      {{"http://zk.example"}, "zk.example:2180", 403},
      {{"http://evil.example"}, "zk.example:2180", 403},
      {{"http://zk.example:2180.evil.example"}, "zk.example:2180", 403},
      {{"http://zk.example:2180@evil.example"}, "zk.example:2180", 403},
      {{"http://evil.example/zk.example:2180"}, "zk.example:2180", 403},
      {{"file://zk.example:2180"}, "zk.example:2180", 403},
      {{"null"}, "zk.example:2180", 403},
      {{""}, "zk.example:2180", 403},
      {{"http://zk.example:2180", "http://zk.example:2180"}, "zk.example:2180", 400},
  };
  for (const Row& row : rows) {
    CAPTURE((row.origins.empty() ? "no origin" : row.origins.front()));
    CAPTURE(row.host);
    RequestHead request = upgrade();
    request.origins = row.origins;
    request.hosts = {row.host};
    CHECK(status_of(gate.refuses_upgrade(request)) == row.refused);
  }
}

TEST_CASE("an upgrade is RFC 6455's, and the subprotocol is known or not said") {
  const Gate gate(config());
  struct Row {
    std::string_view what;
    void (*spoil)(RequestHead&);
    unsigned refused;
  };
  const Row rows[] = {
      {"nothing", [](RequestHead&) {}, 0},
      {"method", [](RequestHead& r) { r.method = "POST"; }, 405},
      {"http version", [](RequestHead& r) { r.http_version = 10; }, 426},
      {"no upgrade", [](RequestHead& r) { r.upgrades = {}; }, 426},
      {"other upgrade", [](RequestHead& r) { r.upgrades = {"h2c"}; }, 426},
      {"no connection", [](RequestHead& r) { r.connections = {"keep-alive"}; }, 426},
      {"connection in two lines",
       [](RequestHead& r) {
         r.connections = {"keep-alive", "UPGRADE"};
       },
       0},
      {"no version", [](RequestHead& r) { r.versions = {}; }, 426},
      {"old version", [](RequestHead& r) { r.versions = {"8"}; }, 426},
      {"two versions",
       [](RequestHead& r) {
         r.versions = {"13", "13"};
       },
       426},
      {"no key", [](RequestHead& r) { r.keys = {}; }, 400},
      {"short key", [](RequestHead& r) { r.keys = {"c2hvcnQ="}; }, 400},
      {"no base64", [](RequestHead& r) { r.keys = {"********************=="}; }, 400},
      {"two keys",
       [](RequestHead& r) {
         r.keys = {"dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="};
       },
       400},
      {"ours", [](RequestHead& r) { r.subprotocols = {"zabkeeper.v1+json"}; }, 0},
      {"ours among others",
       [](RequestHead& r) {
         r.subprotocols = {"a, zabkeeper.v1+cbor", "zabkeeper.v1+json"};
       },
       0},
      {"cbor only", [](RequestHead& r) { r.subprotocols = {"zabkeeper.v1+cbor"}; }, 0},
      {"unknown", [](RequestHead& r) { r.subprotocols = {"chat, superchat"}; }, 400},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    RequestHead request = upgrade();
    row.spoil(request);
    CHECK(status_of(gate.refuses_upgrade(request)) == row.refused);
  }

  RequestHead unknown = upgrade();
  unknown.subprotocols = {"chat"};
  CHECK(gate.refuses_upgrade(unknown)->body.find("zabkeeper.v1+json") != std::string::npos);
}

TEST_CASE("of the subprotocols that are offered the first that is known is spoken") {
  struct Row {
    std::vector<std::string_view> offered;
    std::string_view chosen;
  };
  for (const Row& row : {
           Row{{}, ""},
           Row{{"chat"}, ""},
           Row{{"zabkeeper.v1+json"}, "zabkeeper.v1+json"},
           Row{{"zabkeeper.v1+cbor"}, "zabkeeper.v1+cbor"},
           Row{{"zabkeeper.v1+cbor, zabkeeper.v1+json"}, "zabkeeper.v1+cbor"},
           Row{{"zabkeeper.v2+json", "zabkeeper.v1+json", "zabkeeper.v1+cbor"},
               "zabkeeper.v1+json"},
       }) {
    RequestHead request = upgrade();
    request.subprotocols = row.offered;
    const server::Subprotocol* chosen = server::Gate::subprotocol_of(request);
    CHECK((chosen ? chosen->name : "") == row.chosen);
  }
}

}  // namespace
