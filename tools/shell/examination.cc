#include <algorithm>
#include <utility>
#include <vector>

#include "tools/shell/doctor.h"
#include "tools/shell/http_pages.h"
#include "tools/shell/print.h"
#include "tools/shell/runner.h"

// Collects the facts about all servers, and tells what is wrong.
namespace shell {
namespace {

ServerFacts facts_of(const zabkeeper::Endpoint& server) {
  ServerFacts facts{server.url(), nullptr, {}, {}};
  auto status = status_of(server);
  if (status.has_error()) {
    facts.problem = status.error().message;
    return facts;
  }
  facts.status = std::move(*status);
  if (!json_flag(facts.status, "serving", true)) facts.problem = why_not_ready(server);
  if (const auto metrics = metrics_of(server); metrics.has_value()) {
    facts.metrics = MetricsPage(*metrics);
  }
  return facts;
}

}  // namespace

void Runner::on(const Doctor&) {
  const std::vector<ServerFacts> servers = ask_all(settings_.servers, facts_of);
  const std::vector<Finding> findings = judge(servers);
  if (json_) {
    out_ << json_line(json_of(findings));
  } else if (findings.empty()) {
    out_ << "nothing is wrong with " << servers.size()
         << (servers.size() == 1 ? " server\n" : " servers\n");
  } else {
    out_ << text_of(findings);
  }
  if (!findings.empty()) exit_code_ = exit_other;
  const bool is_any_there = std::ranges::any_of(
      servers, [](const ServerFacts& facts) { return !facts.status.is_null(); });
  if (!is_any_there) fail(exit_no_server, "no server gave its status");
}

}  // namespace shell
