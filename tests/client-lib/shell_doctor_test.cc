#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tools/shell/doctor.h"
#include "tools/shell/metrics_page.h"
#include "wire/zxid.h"

namespace shell {
namespace {

using nlohmann::json;

TEST_CASE("samples and quantiles are read from a page of metrics") {
  const MetricsPage page(
      "# HELP x A help with x 5.\n# TYPE x gauge\nx 5\nx_total{event=\"a b\",kind=\"k\"} 7\n"
      "x_total{event=\"c\",kind=\"k\"} 1e3\nnonsense\nx y\n"
      "h_count 100\nh_sum 1\nh_bucket{le=\"0.001\"} 50\nh_bucket{le=\"0.01\"} 98\n"
      "h_bucket{le=\"0.1\"} 99\nh_bucket{le=\"+Inf\"} 100\nempty_count 0\n");
  CHECK(page.value("x") == 5);
  CHECK(page.value("x_total{event=\"a b\",kind=\"k\"}") == 7);
  CHECK(!page.value("nonsense"));
  CHECK(page.label_values("x_total", "event") == std::vector<std::string>{"a b", "c"});
  CHECK(page.label_values("x_total", "kind") == std::vector<std::string>{"k", "k"});
  CHECK(page.label_values("x", "event").empty());
  CHECK(page.quantile("h", 0.5)->seconds == 0.001);
  CHECK(page.quantile("h", 0.99)->seconds == 0.1);
  CHECK(page.quantile("h", 0.999)->seconds == 0.1);
  CHECK(page.quantile("h", 0.5)->count == 100);
  CHECK(!page.quantile("empty", 0.5));
  CHECK(!page.quantile("none", 0.5));
}

// An ensemble of three healthy servers, of which server 3 leads.
struct Healthy {
  std::vector<ServerFacts> servers;

  Healthy() {
    for (std::uint64_t id = 1; id <= 3; ++id) {
      servers.push_back({"ws://s" + std::to_string(id), status(id), {}, {}});
    }
  }
  static json status(std::uint64_t id) {
    json peers = json::array();
    for (std::uint64_t other = 1; other <= 3; ++other) {
      if (other == id) continue;
      peers.push_back({{"id", other},
                       {"address", "10.0.0." + std::to_string(other)},
                       {"connected", true},
                       {"observer", false}});
    }
    return {{"id", id},
            {"role", id == 3 ? "leader" : "follower"},
            {"serving", true},
            {"leader", 3u},
            {"epoch", 1u},
            {"zxid", wire::to_hex(wire::Zxid{{1}, 1'000'000})},
            {"cluster", "c"},
            {"version", "0.2.0"},
            {"level", 3u},
            {"levels", {{"least", 0u}, {"greatest", 3u}}},
            {"peers", std::move(peers)}};
  }
  // No status of this server, and no link with it.
  void stop(std::uint64_t id) {
    servers[id - 1] = {servers[id - 1].server, nullptr, "Connection refused", {}};
    for (ServerFacts& facts : servers) {
      if (facts.status.is_null()) continue;
      for (json& peer : facts.status["peers"]) {
        if (peer["id"] == id) peer["connected"] = false;
      }
    }
  }
  void metrics(const std::string& text) { servers[0].metrics = MetricsPage(text); }
};

// "error disk ws://s1; warning voters" without texts.
std::string names_of(const std::vector<Finding>& findings) {
  std::string text;
  for (const json& each : json_of(findings)) {
    if (!text.empty()) text += "; ";
    text += each["severity"].get<std::string>() + ' ' + each["check"].get<std::string>();
    if (!each["server"].is_null()) text += ' ' + each["server"].get<std::string>();
  }
  return text;
}

std::string ratio(const char* used, const char* limit, double part) {
  return std::string(used) + ' ' + std::to_string(part * 1e6) + '\n' + limit + " 1000000\n";
}

std::string syncs(int count, int fast, const char* slow_bound) {
  return "zabkeeper_log_sync_duration_seconds_count " + std::to_string(count) +
         "\nzabkeeper_log_sync_duration_seconds_bucket{le=\"0.001\"} " + std::to_string(fast) +
         "\nzabkeeper_log_sync_duration_seconds_bucket{le=\"" + slow_bound + "\"} " +
         std::to_string(count) + "\nzabkeeper_log_sync_duration_seconds_bucket{le=\"+Inf\"} " +
         std::to_string(count) + '\n';
}

std::string disk(double free_gib, double size_gib) {
  return "zabkeeper_disk_free_bytes " + std::to_string(free_gib * (1 << 30)) +
         "\nzabkeeper_disk_size_bytes " + std::to_string(size_gib * (1 << 30)) + '\n';
}

TEST_CASE("the doctor finds what is wrong, or will be") {
  struct Row {
    const char* what;
    std::function<void(Healthy&)> change;
    std::string findings;
  };
  const auto with = [](std::string text) {
    return [text = std::move(text)](Healthy& all) { all.metrics(text); };
  };
  const std::string watches_used = "zabkeeper_budget_used_bytes{budget=\"watches\"}";
  const std::string watches_limit = "zabkeeper_budget_limit_bytes{budget=\"watches\"}";
  for (const Row& row : {
           Row{"nothing", [](Healthy&) {}, ""},
           Row{"no metrics", with("nonsense"), ""},
           Row{"a server is down", [](Healthy& all) { all.stop(1); },
               "error unreachable ws://s1; warning quorum"},
           Row{"the quorum is lost",
               [](Healthy& all) {
                 all.stop(1);
                 all.stop(3);
                 all.servers[1].status["serving"] = false;
                 all.servers[1].status["role"] = "looking";
               },
               "error leader; error unreachable ws://s1; error serving ws://s2; "
               "error unreachable ws://s3"},
           Row{"all are down",
               [](Healthy& all) {
                 for (std::uint64_t id = 1; id <= 3; ++id) all.stop(id);
               },
               "error unreachable ws://s1; error unreachable ws://s2; error unreachable ws://s3"},
           Row{"two say that they lead",
               [](Healthy& all) { all.servers[0].status["role"] = "leader"; }, "warning leader"},
           Row{"the leader is not in --server", [](Healthy& all) { all.servers.pop_back(); },
               "warning unknown"},
           Row{"an even number of voters",
               [](Healthy& all) {
                 for (ServerFacts& facts : all.servers) {
                   facts.status["peers"].push_back(
                       {{"id", 4u}, {"address", "x"}, {"connected", true}, {"observer", false}});
                 }
               },
               "warning voters; warning unknown"},
           Row{"an observer is no voter",
               [](Healthy& all) {
                 for (ServerFacts& facts : all.servers) {
                   facts.status["peers"].push_back(
                       {{"id", 4u}, {"address", "x"}, {"connected", true}, {"observer", true}});
                 }
               },
               "warning unknown"},
           Row{"standalone",
               [](Healthy& all) {
                 all.servers.resize(1);
                 all.servers[0].status["role"] = "standalone";
                 all.servers[0].status["peers"] = json::array();
               },
               ""},
           Row{"a missing link is said once",
               [](Healthy& all) {
                 all.servers[0].status["peers"][0]["connected"] = false;
                 all.servers[1].status["peers"][0]["connected"] = false;
               },
               "warning link ws://s1"},
           Row{"versions", [](Healthy& all) { all.servers[1].status["version"] = "0.3.0"; },
               "warning version"},
           Row{"clusters", [](Healthy& all) { all.servers[1].status["cluster"] = "d"; },
               "error cluster"},
           Row{"the level can be raised",
               [](Healthy& all) {
                 for (ServerFacts& facts : all.servers) facts.status["level"] = 2u;
               },
               "warning level"},
           Row{"not all can run at a greater level",
               [](Healthy& all) {
                 for (ServerFacts& facts : all.servers) facts.status["level"] = 2u;
                 all.servers[2].status["levels"]["greatest"] = 2u;
               },
               ""},
           Row{"far behind",
               [](Healthy& all) {
                 all.servers[0].status["zxid"] = wire::to_hex(wire::Zxid{{1}, 800'000});
               },
               "warning behind ws://s1"},
           Row{"malformed fields",
               [](Healthy& all) {
                 all.servers[0].status["serving"] = "yes";
                 all.servers[0].status["peers"] = json{{"id", 1}};
                 all.servers[1].status["peers"] = {1, "x", json::object()};
                 all.servers[0].status["levels"] = 7;
                 all.servers[0].status["zxid"] = nullptr;
               },
               "warning quorum"},
           Row{"a clock", with("zabkeeper_clock_offset_seconds -1.5\n"), "warning clock ws://s1"},
           Row{"a wrong clock", with("zabkeeper_clock_offset_seconds 11\n"), "error clock ws://s1"},
           Row{"a good clock", with("zabkeeper_clock_offset_seconds 0.9\n"), ""},
           Row{"a disk", with(disk(8, 100)), "warning disk ws://s1"},
           Row{"a full disk", with(disk(1, 100)), "error disk ws://s1"},
           Row{"a large disk", with(disk(100, 10'000)), ""},
           Row{"a small disk", with(disk(2, 10)), ""},
           Row{"a damaged log", with("zabkeeper_damaged 1\n"), "error damaged ws://s1"},
           Row{"slow syncs", with(syncs(1000, 980, "0.02")), "warning sync ws://s1"},
           Row{"very slow syncs", with(syncs(1000, 980, "0.5")), "error sync ws://s1"},
           Row{"a single slow sync", with(syncs(1000, 999, "0.5")), ""},
           Row{"too few syncs to judge", with(syncs(50, 10, "0.5")), ""},
           Row{"checkpoints", with("zabkeeper_checkpoint_failures_total 2\n"),
               "warning checkpoint ws://s1"},
           Row{"lost log messages", with("zabkeeper_log_lines_dropped_total 1\n"),
               "warning messages ws://s1"},
           Row{"lag", with("zabkeeper_lag_transactions 10001\n"), "warning lag ws://s1"},
           Row{"connections",
               with(ratio("zabkeeper_client_connections", "zabkeeper_client_connections_limit",
                          0.9)),
               "warning connections ws://s1"},
           Row{"no limit of connections",
               with("zabkeeper_client_connections 9\nzabkeeper_client_connections_limit 0\n"), ""},
           Row{"sessions", with(ratio("zabkeeper_sessions", "zabkeeper_sessions_limit", 0.96)),
               "error sessions ws://s1"},
           Row{"state", with(ratio("zabkeeper_state_bytes", "zabkeeper_state_limit_bytes", 0.85)),
               "warning state ws://s1"},
           Row{"files in use", with(ratio("process_open_fds", "process_max_fds", 0.85)),
               "warning files ws://s1"},
           Row{"few files", with("process_max_fds 1024\n"), "warning files ws://s1"},
           Row{"watches", with(ratio(watches_used.c_str(), watches_limit.c_str(), 0.79)), ""},
           Row{"too many watches", with(ratio(watches_used.c_str(), watches_limit.c_str(), 0.81)),
               "warning budget ws://s1"},
       }) {
    CAPTURE(row.what);
    Healthy all;
    row.change(all);
    CHECK(names_of(judge(all.servers)) == row.findings);
  }
}

TEST_CASE("a finding says what to do") {
  Healthy all;
  all.stop(1);
  CHECK(text_of(judge(all.servers)) ==
        "         SERVER    WHAT IS WRONG, AND WHAT TO DO\n"
        "error    ws://s1   there is no status: Connection refused\n"
        "                     start it, or correct --server; its log messages say more\n"
        "warning  ensemble  only 2 of 3 voters are there: one more failure stops the ensemble\n"
        "                     bring the other voters back\n");
}

}  // namespace
}  // namespace shell
