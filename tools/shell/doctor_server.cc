#include <cmath>
#include <cstdio>
#include <initializer_list>
#include <optional>
#include <utility>

#include "tools/shell/doctor.h"
#include "tools/shell/http_pages.h"

// The findings about one server.
namespace shell {
namespace {

using Severity = Finding::Severity;

// Collects the findings about one server.
class ServerReport {
 public:
  ServerReport(const ServerFacts& facts, std::vector<Finding>& findings)
      : facts_(facts), findings_(findings) {}

  void note(Severity severity, const char* check, std::string problem, std::string advice) {
    findings_.push_back({severity, check, facts_.server, std::move(problem), std::move(advice)});
  }
  [[nodiscard]] std::optional<double> metric(const std::string& sample) const {
    return facts_.metrics.value(sample);
  }
  [[nodiscard]] const ServerFacts& facts() const { return facts_; }

 private:
  const ServerFacts& facts_;
  std::vector<Finding>& findings_;
};

std::string percent(double part) { return std::to_string(static_cast<int>(100 * part)) + " %"; }

std::string in_gib(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GiB", bytes / (1 << 30));
  return text;
}

void judge_health(ServerReport& report) {
  if (json_flag(report.facts().status, "serving", true)) return;
  const std::string& why = report.facts().problem;
  report.note(Severity::error, "serving",
              "does not serve clients" + (why.empty() ? "" : ": " + why),
              "its log messages say more; see operations.md, \"Watching it\"");
}

void judge_clock(ServerReport& report) {
  constexpr double warning_seconds = 1;
  constexpr double error_seconds = 10;
  const auto offset = report.metric("zabkeeper_clock_offset_seconds");
  if (!offset || std::abs(*offset) < warning_seconds) return;
  char text[64];
  std::snprintf(text, sizeof text, "its clock is %.1f s %s the ensemble's time", std::abs(*offset),
                *offset > 0 ? "ahead of" : "behind");
  report.note(std::abs(*offset) >= error_seconds ? Severity::error : Severity::warning, "clock",
              text, "set the clock of its machine, with NTP or chrony");
}

void judge_disk(ServerReport& report) {
  struct Bound {
    Severity severity;
    double part;
    double bytes;
  };
  const auto free_bytes = report.metric("zabkeeper_disk_free_bytes");
  const auto size_bytes = report.metric("zabkeeper_disk_size_bytes");
  if (!free_bytes || !size_bytes || *size_bytes <= 0) return;
  // On a large disk, less than a tenth is still enough.
  for (const Bound& bound : {Bound{Severity::error, 0.03, 5.0 * (1 << 30)},
                             Bound{Severity::warning, 0.1, 20.0 * (1 << 30)}}) {
    if (*free_bytes >= bound.part * *size_bytes || *free_bytes >= bound.bytes) continue;
    report.note(bound.severity, "disk",
                "the disk of its log has " + in_gib(*free_bytes) + " free, " +
                    percent(*free_bytes / *size_bytes),
                "make room there, or move dataLogDir; a server ends when its log cannot grow");
    return;
  }
}

void judge_log(ServerReport& report) {
  constexpr std::uint64_t syncs_min = 100;
  constexpr double slow_seconds = 0.010;
  constexpr double very_slow_seconds = 0.100;
  if (report.metric("zabkeeper_damaged").value_or(0) > 0) {
    report.note(Severity::error, "damaged", "its log has lost records, and it does not vote",
                "keep the other servers running: it is repaired as soon as there is a leader. "
                "Check its disk; see operations.md, \"Damage\"");
  }
  const auto sync = report.facts().metrics.quantile("zabkeeper_log_sync_duration_seconds", 0.99);
  if (sync && sync->count >= syncs_min && sync->seconds > slow_seconds) {
    char text[96];
    std::snprintf(text, sizeof text,
                  "the 99th percentile of its log's syncs is %.0f ms, since it began",
                  1000 * sync->seconds);
    report.note(sync->seconds > very_slow_seconds ? Severity::error : Severity::warning, "sync",
                text,
                "every write waits for it: use a faster disk for dataLogDir, and for it alone");
  }
  if (const auto failures = report.metric("zabkeeper_checkpoint_failures_total");
      failures && *failures > 0) {
    report.note(Severity::warning, "checkpoint",
                std::to_string(static_cast<int>(*failures)) +
                    " checkpoints could not be written since it began",
                "its log messages say why: often dataDir is full. Then `zab checkpoint`");
  }
  if (report.metric("zabkeeper_log_lines_dropped_total").value_or(0) > 0) {
    report.note(Severity::warning, "messages", "some of its log messages were lost",
                "the program that reads them hangs or is too slow, or their disk is full");
  }
}

void judge_lag(ServerReport& report) {
  constexpr double lag_max = 10'000;
  const auto lag = report.metric("zabkeeper_lag_transactions");
  if (!lag || *lag <= lag_max) return;
  report.note(Severity::warning, "lag",
              "it has not applied " + std::to_string(static_cast<std::uint64_t>(*lag)) +
                  " transactions of its history",
              "it does not keep up: look at its processor and its memory");
}

struct LimitedUse {
  const char* check;
  const char* what;
  std::string used;  // a metric
  std::string limit;
  const char* advice;
};

void judge_use(ServerReport& report, const LimitedUse& use) {
  constexpr double warning_part = 0.8;
  constexpr double error_part = 0.95;
  const auto used = report.metric(use.used);
  const auto limit = report.metric(use.limit);
  if (!used || !limit || *limit <= 0 || *used < warning_part * *limit) return;
  report.note(*used >= error_part * *limit ? Severity::error : Severity::warning, use.check,
              std::string(use.what) + " are at " + percent(*used / *limit) + " of their limit",
              use.advice);
}

void judge_limits(ServerReport& report) {
  judge_use(report, {"connections", "its connections", "zabkeeper_client_connections",
                     "zabkeeper_client_connections_limit",
                     "raise maxCnxns and the limit of open files, or add an observer"});
  judge_use(report, {"sessions", "the sessions of the ensemble", "zabkeeper_sessions",
                     "zabkeeper_sessions_limit",
                     "`zab sessions` shows whose they are; or raise maxSessions on all servers"});
  judge_use(report, {"state", "the tree and the sessions in memory", "zabkeeper_state_bytes",
                     "zabkeeper_state_limit_bytes",
                     "delete nodes, or raise memoryLimitBytes on all servers"});
  judge_use(report, {"files", "its open files", "process_open_fds", "process_max_fds",
                     "raise LimitNOFILE of its unit, or ulimit -n"});
  judge_use(report, {"memory", "its resident bytes", "process_resident_memory_bytes",
                     "zabkeeper_memory_limit_bytes",
                     "raise memoryLimitBytes if the machine has the memory, or delete nodes"});
  for (const std::string& budget :
       report.facts().metrics.label_values("zabkeeper_budget_limit_bytes", "budget")) {
    const std::string what = "the bytes of its budget \"" + budget + '"';
    const std::string label = "{budget=\"" + budget + "\"}";
    judge_use(report,
              {"budget", what.c_str(), "zabkeeper_budget_used_bytes" + label,
               "zabkeeper_budget_limit_bytes" + label,
               budget == "watches" ? "`zab watches` shows of which paths they are; or raise "
                                     "memoryLimitBytes"
                                   : "see operations.md, \"Memory of clients\""});
  }
}

void judge_files(ServerReport& report) {
  constexpr double files_min = 4096;
  const auto files = report.metric("process_max_fds");
  if (!files || *files >= files_min) return;
  report.note(Severity::warning, "files",
              "it may open only " + std::to_string(static_cast<int>(*files)) +
                  " files, and each client needs one",
              "raise LimitNOFILE of its unit, or ulimit -Hn, and restart it");
}

}  // namespace

void judge_server(const ServerFacts& facts, std::vector<Finding>& findings) {
  ServerReport report(facts, findings);
  if (facts.status.is_null()) {
    return report.note(Severity::error, "unreachable", "there is no status: " + facts.problem,
                       "start it, or correct --server; its log messages say more");
  }
  judge_health(report);
  judge_clock(report);
  judge_disk(report);
  judge_log(report);
  judge_lag(report);
  judge_limits(report);
  judge_files(report);
}

}  // namespace shell
