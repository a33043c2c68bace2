#include "server/admin/answers.h"

#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "server/admin/commands.h"

namespace {

using nlohmann::json;

struct Fixed : server::StatusSource {
  server::Status now;
  server::AdminCommands none;
  [[nodiscard]] server::Status status() const override { return now; }
  [[nodiscard]] std::string metrics() const override { return "zabkeeper_serving 1\n"; }
  [[nodiscard]] const server::AdminCommands& commands() const override { return none; }
};

Fixed leader() {
  Fixed source;
  source.now.id = 2;
  source.now.role = wire::Role::leader;
  source.now.serving = true;
  source.now.leader = 2;
  source.now.epoch = {3};
  source.now.zxid = {{3}, 17};
  source.now.peers = {{1, "10.0.0.1:2888", true, false}, {4, "10.0.0.4:2888", false, true}};
  source.now.sessions = 5;
  source.now.connections = 4;
  source.now.nodes = 1000;
  source.now.watches = 7;
  source.now.lag = 1;
  source.now.checkpoint.at = {{3}, 16};
  source.now.checkpoint.bytes = 4096;
  source.now.checkpoint.since = 1;
  source.now.log_bytes = 123;
  source.now.log_segments = 2;
  source.now.disk_free_bytes = 1000;
  source.now.disk_size_bytes = 4000;
  source.now.data_dir = "/var/lib/zabkeeper";
  source.now.cluster = "00112233445566778899aabbccddeeff";
  source.now.version = "0.1.0";
  return source;
}

TEST_CASE("GET /status says how the server is doing") {
  const server::Answer answer = server::answer("GET", "/status", leader());
  CHECK(answer.status == 200);
  CHECK(answer.content_type == "application/json");
  CHECK(json::parse(answer.body) == json::parse(R"({
    "id": 2, "role": "leader", "serving": true, "leader": 2, "epoch": 3,
    "zxid": "0000030000000011", "sessions": 5, "connections": 4, "nodes": 1000, "watches": 7,
    "lag": 1, "version": "0.1.0", "cluster": "00112233445566778899aabbccddeeff",
    "checkpoint": {"zxid": "0000030000000010", "bytes": 4096, "behind": 1},
    "disk": {"logBytes": 123, "logSegments": 2, "freeBytes": 1000, "sizeBytes": 4000,
             "dataDir": "/var/lib/zabkeeper", "damaged": false},
    "peers": [{"id": 1, "address": "10.0.0.1:2888", "connected": true, "observer": false},
              {"id": 4, "address": "10.0.0.4:2888", "connected": false, "observer": true}]})"));

  Fixed alone;
  alone.now.data_dir = "/not utf-8: \xff";
  const json status = json::parse(server::answer("GET", "/status", alone).body);
  CHECK(status["leader"].is_null());
  CHECK(status["role"] == "looking");
}

TEST_CASE("GET /health/ready says why not") {
  Fixed source = leader();
  CHECK(server::answer("GET", "/health/ready", source).status == 200);
  source.now.serving = false;
  source.now.why_not_serving = "looking for a leader";
  const server::Answer answer = server::answer("GET", "/health/ready", source);
  CHECK(answer.status == 503);
  CHECK(json::parse(answer.body) == json{{"ready", false}, {"reason", "looking for a leader"}});
  CHECK(server::answer("GET", "/health/live", source).status == 200);
}

TEST_CASE("GET /metrics is Prometheus' text") {
  const server::Answer answer = server::answer("GET", "/metrics", leader());
  CHECK(answer.status == 200);
  CHECK(answer.content_type == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(answer.body == "zabkeeper_serving 1\n");
}

TEST_CASE("other paths and methods") {
  const Fixed source = leader();
  CHECK(server::answer("GET", "/", source).content_type == "text/plain; charset=utf-8");
  CHECK(server::answer("GET", "/?x=1", source).status == 200);
  CHECK(server::answer("HEAD", "/status", source).status == 200);
  CHECK(server::answer("GET", "/metric", source).status == 404);
  CHECK(server::answer("GET", "/status/", source).status == 404);
  CHECK(json::parse(server::answer("GET", "/\"\xff", source).body)["error"] == "NotFound");
  const server::Answer post = server::answer("POST", "/status", source);
  CHECK(post.status == 405);
  CHECK(post.allow == "GET, HEAD");
}

}  // namespace
