#include "server/clients/gate.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using server::Gate;
using server::GateRules;
using server::RequestHead;

GateRules rules() {
  return {.hosts = {"localhost", "zk.example", "peer1", "Web1.example", "lb.example"},
          .origins = {"https://console.example", "http://dev.example:3000"},
          .super_digest = ""};
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
  const Gate gate(rules());
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

  GateRules open = rules();
  open.hosts = {"*"};
  RequestHead any = upgrade();
  any.hosts = {"anything.example"};
  CHECK(status_of(Gate(open).refuses(any)) == 0);
}

TEST_CASE("a web page may connect from its own server only, or from an allowed origin") {
  const Gate gate(rules());
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

TEST_CASE("an upgrade must follow RFC 6455 and offer a known subprotocol or none") {
  const Gate gate(rules());
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

TEST_CASE("the first offered subprotocol that the server knows is chosen") {
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
    const server::Subprotocol* chosen = Gate::subprotocol_of(request);
    CHECK((chosen ? chosen->name : "") == row.chosen);
  }
}

TEST_CASE("commands are accepted from the same machine or with the super identity") {
  GateRules with_super = rules();
  with_super.super_digest = "root:J1scEM42CKaLPP5+ElgpgGsuONg=";
  with_super.origins.emplace_back("*");
  with_super.hosts.emplace_back("*");
  const Gate gate(with_super);
  struct Row {
    const char* who;
    std::string_view remote;
    RequestHead request;
    unsigned refused;
  };
  const auto from = [](std::vector<std::string_view> authorizations,
                       std::vector<std::string_view> origins = {},
                       std::string_view host = "127.0.0.1:2180") {
    return RequestHead{.method = "POST",
                       .target = "/admin/handover",
                       .hosts = {host},
                       .origins = std::move(origins),
                       .authorizations = std::move(authorizations)};
  };
  RequestHead read = from({});
  read.method = "GET";
  RequestHead passed_on = from({});
  passed_on.forwarded = {"for=10.0.0.1"};
  RequestHead old = from({});
  old.http_version = 10;
  old.hosts = {};
  const Row rows[] = {
      {"an operator", "127.0.0.1", from({}), 0},
      {"an operator", "::1", from({}, {}, "zk.example:2180"), 0},
      {"an operator of HTTP/1.0", "127.0.0.1", old, 0},
      {"who only reads", "127.0.0.1", read, 405},
      {"somebody else", "10.0.0.9", from({}), 403},
      {"somebody behind a proxy", "127.0.0.1", passed_on, 403},
      {"super from afar", "10.0.0.9", from({"digest root:secret"}), 0},
      {"super from afar", "10.0.0.9", from({"Basic cm9vdDpzZWNyZXQ="}), 0},
      {"super under a name that only * allows", "10.0.0.9",
       from({"digest root:secret"}, {}, "anything.example"), 0},
      {"a liar", "10.0.0.9", from({"digest root:wrong"}), 403},
      {"a liar", "127.0.0.1", from({"Basic cm9vdDp3cm9uZw=="}), 403},
      {"a liar", "127.0.0.1", from({"Bearer root:secret"}), 403},
      {"a liar", "10.0.0.9", from({"digest super:"}), 403},
      {"a double", "10.0.0.9", from({"digest root:secret", "digest root:secret"}), 403},
      {"a page of this server", "127.0.0.1", from({}, {"http://127.0.0.1:2180"}), 0},
      {"a page of another", "127.0.0.1", from({}, {"http://evil.example"}), 403},
      {"a page that may connect", "127.0.0.1", from({}, {"https://console.example"}), 403},
      {"a page of nowhere", "127.0.0.1", from({}, {"null"}), 403},
      {"a page of another, with a stolen password", "127.0.0.1",
       from({"digest root:secret"}, {"http://evil.example"}), 403},
      {"a page whose name was made to point here", "127.0.0.1",
       from({}, {"http://evil.example:2180"}, "evil.example:2180"), 403},
      {"such a page, without its origin", "127.0.0.1", from({}, {}, "evil.example:2180"), 403},
  };
  for (const Row& row : rows) {
    CAPTURE(row.who);
    CHECK(status_of(gate.refuses_command(row.request, row.remote)) == row.refused);
  }

  // Without a superDigest nobody is super.
  CHECK(status_of(Gate(rules()).refuses_command(from({"digest root:secret"}), "10.0.0.9")) == 403);
  CHECK(status_of(Gate(rules()).refuses_command(from({"digest "}), "10.0.0.9")) == 403);
}

}  // namespace
