#include "server/admin/pages.h"

#include <algorithm>
#include <array>
#include <string>

#include <nlohmann/json.hpp>

#include "server/metrics/page.h"
#include "wire/zxid.h"

namespace server {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const wire::LevelRange& range) {
  return {{"least", range.least.value}, {"greatest", range.greatest.value}};
}

Answer live(const PageSources&) { return json_answer(200, {{"live", true}}); }

Answer ready(const PageSources& sources) {
  const Readiness readiness = sources.readiness();
  if (readiness.serving) return json_answer(200, {{"ready", true}});
  return json_answer(503, {{"ready", false}, {"reason", readiness.why_not}});
}

Answer full_status(const PageSources& sources) { return status_answer(sources.status()); }

Answer metrics(const PageSources& sources) {
  return {200, metrics_content_type, sources.metrics()};
}

Answer greeting(const PageSources& sources) {
  const Status status = sources.status();
  return {200, "text/plain; charset=utf-8",
          "This is Zabkeeper " + status.version + ", server " + std::to_string(status.id) +
              ", a coordination service.\n"
              "\n"
              "  /v1            clients connect here, with a WebSocket\n"
              "  /status        how this server is doing\n"
              "  /health/live   200 while it runs\n"
              "  /health/ready  200 while it answers clients, else 503 and why\n"
              "  /metrics       the same and more in numbers, for Prometheus\n"
              "  /admin/        commands for operators, with POST\n"};
}

struct Page {
  std::string_view path;
  Answer (*answer)(const PageSources& sources);
  bool is_large = false;
};

constexpr std::array pages{
    Page{"/", greeting, true},       Page{"/health/live", live},
    Page{"/health/ready", ready},    Page{"/status", full_status, true},
    Page{"/metrics", metrics, true},
};

}  // namespace

Answer status_answer(const Status& status) {
  Json peers = Json::array();
  for (const Status::Peer& peer : status.peers) {
    peers.push_back({{"id", peer.id},
                     {"address", peer.address},
                     {"connected", peer.connected},
                     {"observer", peer.observer},
                     {"program", peer.program.empty() ? Json(nullptr) : Json(peer.program)},
                     {"levels", peer.levels ? json_of(*peer.levels) : Json(nullptr)}});
  }
  return json_answer(200,
                     {{"id", status.id},
                      {"role", wire::name(status.role)},
                      {"serving", status.serving},
                      {"leader", status.leader == 0 ? Json(nullptr) : Json(status.leader)},
                      {"epoch", status.epoch.value},
                      {"zxid", wire::to_hex(status.zxid)},
                      {"peers", std::move(peers)},
                      {"sessions", status.sessions},
                      {"connections", status.connections},
                      {"nodes", status.nodes},
                      {"watches", status.watches},
                      {"lag", status.lag},
                      {"clockOffsetMs", status.clock_offset_ms},
                      {"cluster", status.cluster.empty() ? Json(nullptr) : Json(status.cluster)},
                      {"checkpoint",
                       {{"zxid", wire::to_hex(status.checkpoint.at)},
                        {"bytes", status.checkpoint.bytes},
                        {"behind", status.checkpoint.since}}},
                      {"disk",
                       {{"logBytes", status.log_bytes},
                        {"logSegments", status.log_segments},
                        {"freeBytes", status.disk_free_bytes},
                        {"sizeBytes", status.disk_size_bytes},
                        {"dataDir", status.data_dir},
                        {"damaged", status.damaged}}},
                      {"level", status.level.value},
                      {"levels", json_of(status.levels)},
                      {"diskLevel", status.disk_level.value},
                      {"version", status.version}});
}

Answer page(std::string_view method, std::string_view target, const PageSources& sources,
            RecentPages& recent) {
  const std::string_view path = target.substr(0, target.find('?'));
  const auto found = std::ranges::find(pages, path, &Page::path);
  if (found == pages.end()) {
    return error_answer(404, "NotFound",
                        "there is nothing at " + std::string(path) +
                            "; see /, /status, /health/live, /health/ready, /metrics");
  }
  if (method != "GET" && method != "HEAD") {
    Answer refused =
        error_answer(405, "MethodNotAllowed", std::string(path) + " is read-only; use GET");
    refused.allow = "GET, HEAD";
    return refused;
  }
  if (!found->is_large) return found->answer(sources);
  return recent.get(path, [&] { return found->answer(sources); });
}

}  // namespace server
