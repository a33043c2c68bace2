#include "server/admin/pages.h"

#include <chrono>
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace {

using Json = nlohmann::json;

server::Answer request(std::string_view method, std::string_view target,
                       const server::Status& status) {
  server::RecentPages none;
  return server::page(method, target,
                      {[&] { return status; }, [] { return "zabkeeper_serving 1\n"; },
                       [&] {
                         return server::Readiness{status.serving, "looking for a leader"};
                       }},
                      none);
}

server::Status leader() {
  server::Status status;
  status.id = 2;
  status.role = wire::Role::leader;
  status.serving = true;
  status.leader = 2;
  status.epoch = {3};
  status.zxid = {{3}, 17};
  status.peers = {{1, "10.0.0.1:2888", true, false, "zabkeeper 0.1", wire::LevelRange{{0}, {0}}},
                  {4, "10.0.0.4:2888", false, true, {}, {}}};
  status.level = {1};
  status.levels = {{0}, {2}};
  status.disk_level = {1};
  status.sessions = 5;
  status.connections = 4;
  status.nodes = 1000;
  status.watches = 7;
  status.lag = 1;
  status.clock_offset_ms = -12;
  status.checkpoint.at = {{3}, 16};
  status.checkpoint.bytes = 4096;
  status.checkpoint.since = 1;
  status.log_bytes = 123;
  status.log_segments = 2;
  status.disk_free_bytes = 1000;
  status.disk_size_bytes = 4000;
  status.data_dir = "/var/lib/zabkeeper";
  status.cluster = "00112233445566778899aabbccddeeff";
  status.version = "0.1.0";
  return status;
}

TEST_CASE("GET /status returns the server's status as JSON") {
  const server::Answer answer = request("GET", "/status", leader());
  CHECK(answer.status == 200);
  CHECK(answer.content_type == "application/json");
  CHECK(Json::parse(answer.body) == Json::parse(R"({
    "id": 2, "role": "leader", "serving": true, "leader": 2, "epoch": 3,
    "zxid": "0000030000000011", "sessions": 5, "connections": 4, "nodes": 1000, "watches": 7,
    "lag": 1, "clockOffsetMs": -12, "version": "0.1.0", "cluster": "00112233445566778899aabbccddeeff",
    "checkpoint": {"zxid": "0000030000000010", "bytes": 4096, "behind": 1},
    "disk": {"logBytes": 123, "logSegments": 2, "freeBytes": 1000, "sizeBytes": 4000,
             "dataDir": "/var/lib/zabkeeper", "damaged": false},
    "peers": [{"id": 1, "address": "10.0.0.1:2888", "connected": true, "observer": false,
               "program": "zabkeeper 0.1", "levels": {"least": 0, "greatest": 0}},
              {"id": 4, "address": "10.0.0.4:2888", "connected": false, "observer": true,
               "program": null, "levels": null}],
    "level": 1, "levels": {"least": 0, "greatest": 2}, "diskLevel": 1})"));

  server::Status alone;
  alone.data_dir = "/not utf-8: \xff";
  const Json status = Json::parse(request("GET", "/status", alone).body);
  CHECK(status["leader"].is_null());
  CHECK(status["role"] == "looking");
}

TEST_CASE("GET /health/ready returns 503 and the reason while the server does not serve") {
  server::Status status = leader();
  CHECK(request("GET", "/health/ready", status).status == 200);
  status.serving = false;
  const server::Answer answer = request("GET", "/health/ready", status);
  CHECK(answer.status == 503);
  CHECK(Json::parse(answer.body) == Json{{"ready", false}, {"reason", "looking for a leader"}});
  CHECK(request("GET", "/health/live", status).status == 200);
}

TEST_CASE("GET /metrics returns Prometheus' text format") {
  const server::Answer answer = request("GET", "/metrics", leader());
  CHECK(answer.status == 200);
  CHECK(answer.content_type == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(answer.body == "zabkeeper_serving 1\n");
}

TEST_CASE("many requests for a large page at once do not make it anew each time") {
  using namespace std::chrono_literals;
  server::SteadyClock::time_point now{1h};
  server::RecentPages recent([&] { return now; });
  int made = 0;
  const server::PageSources sources{[&] {
                                      made += 1;
                                      now += 1ms;  // so long it takes
                                      return leader();
                                    },
                                    [] { return std::string(); },
                                    [] {
                                      return server::Readiness{true, {}};
                                    }};
  const auto get = [&](std::string_view target) { return page("GET", target, sources, recent); };
  for (int i = 0; i < 1000; ++i) CHECK(get("/status").status == 200);
  CHECK(made == 5);
  CHECK(get("/status?x=1").body == get("/status").body);
  CHECK(get("/metrics").body.empty());
  now += 50ms;
  CHECK(get("/status").status == 200);
  CHECK(made == 6);
  // Health needs nothing that takes long.
  for (int i = 0; i < 10; ++i) CHECK(get("/health/ready").status == 200);
  for (int i = 0; i < 10; ++i) CHECK(get("/health/live").status == 200);
  CHECK(made == 6);
}

TEST_CASE("unknown paths return 404, and methods other than GET and HEAD return 405") {
  const server::Status status = leader();
  CHECK(request("GET", "/", status).content_type == "text/plain; charset=utf-8");
  CHECK(request("GET", "/?x=1", status).status == 200);
  CHECK(request("HEAD", "/status", status).status == 200);
  CHECK(request("GET", "/metric", status).status == 404);
  CHECK(request("GET", "/status/", status).status == 404);
  CHECK(Json::parse(request("GET", "/\"\xff", status).body)["error"] == "NotFound");
  const server::Answer post = request("POST", "/status", status);
  CHECK(post.status == 405);
  CHECK(post.allow == "GET, HEAD");
}

}  // namespace
