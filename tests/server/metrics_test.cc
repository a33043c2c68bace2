#include <algorithm>
#include <chrono>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "server/metrics/availability.h"
#include "server/metrics/counters.h"
#include "server/metrics/histogram.h"
#include "server/metrics/page.h"
#include "wire/json.h"

namespace {

using namespace std::chrono_literals;
using server::Histogram;

std::size_t bucket_of(Histogram::Duration took) {
  Histogram histogram;
  histogram.observe(took);
  for (std::size_t bucket = 0; bucket <= Histogram::bounds; ++bucket) {
    if (histogram.count(bucket) == 1) return bucket;
  }
  return Histogram::bounds + 1;
}

TEST_CASE("a duration counts in the first bucket whose bound it does not exceed") {
  CHECK(bucket_of(-1ns) == 0);  // cannot happen: no clock here runs backwards
  CHECK(bucket_of(0ns) == 0);
  for (std::size_t bucket = 0; bucket < Histogram::bounds; ++bucket) {
    CAPTURE(bucket);
    CHECK(bucket_of(Histogram::bound(bucket)) == bucket);
    CHECK(bucket_of(Histogram::bound(bucket) + 1ns) == bucket + 1);
  }
  CHECK(bucket_of(1h) == Histogram::bounds);
}

TEST_CASE("every operation is counted under its own name") {
  wire::Request request;
  const auto check = [&](auto index) {
    request.emplace<index.value>();
    std::string text;
    wire::json::write(wire::ClientRequest{{}, {}, request}, text);
    CHECK(nlohmann::json::parse(text)["op"] == server::operation_name(index.value));
  };
  [&]<std::size_t... index>(std::index_sequence<index...>) {
    (check(std::integral_constant<std::size_t, index>{}), ...);
  }
  (std::make_index_sequence<server::operations>{});
}

TEST_CASE("time without a leader is counted while it lasts, and observed when it ends") {
  const server::SteadyClock::time_point start{};
  server::Availability availability(start);
  CHECK(availability.unserved(start + 2s) == 2s);

  zab::RoleStatus role_status;
  availability.note(role_status, start + 1s);
  role_status = {zab::Role::following, true, {{1}}, {2}};
  availability.note(role_status, start + 3s);
  CHECK(availability.unserved(start + 9s) == 3s);
  CHECK(availability.outages().sum() == 3s);

  // A hand-over: not serving for a moment.
  role_status.serving = false;
  availability.note(role_status, start + 10s);
  CHECK(availability.unserved(start + 11s) == 4s);
  role_status.serving = true;
  availability.note(role_status, start + 11s);

  role_status = {};
  availability.note(role_status, start + 20s);
  CHECK(availability.unserved(start + 21s) == 5s);
  CHECK(availability.outages().sum() == 4s);
}

TEST_CASE("the metrics page has a sample of each kind, in Prometheus' text format") {
  server::Readings readings;
  readings.status.role = wire::Role::leader;
  readings.status.version = "1.2\"3";
  readings.peers = {{2, true, 77, {}}, {3, false, 0, {}}};
  readings.requests.errors[wire::ErrorCode::no_node] = 4;
  readings.log.sync.observe(100us);
  readings.log.sync.observe(1h);
  const std::string page = server::metrics_page(readings);
  for (const char* line : {
           "# TYPE zabkeeper_build_info gauge\n",
           "zabkeeper_build_info{version=\"1.2\\\"3\",server=\"0\"} 1\n",
           "zabkeeper_role{role=\"leader\"} 1\n",
           "zabkeeper_role{role=\"follower\"} 0\n",
           "zabkeeper_peer_queued_bytes{peer=\"2\"} 77\n",
           "zabkeeper_peer_connected{peer=\"3\"} 0\n",
           "zabkeeper_client_errors_total{error=\"NoNode\"} 4\n",
           "zabkeeper_client_errors_total{error=\"TooLarge\"} 0\n",
           "zabkeeper_client_requests_total{op=\"create\"} 0\n",
           "zabkeeper_log_sync_duration_seconds_bucket{le=\"+Inf\"} 2\n",
           "zabkeeper_log_sync_duration_seconds_count 2\n",
           "# TYPE process_cpu_seconds_total counter\n",
       }) {
    CAPTURE(line);
    CHECK(page.find(line) != std::string::npos);
  }
}

}  // namespace
