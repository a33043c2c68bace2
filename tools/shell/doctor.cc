#include "tools/shell/doctor.h"

#include <algorithm>

#include "tools/shell/print.h"

namespace shell {
namespace {

const char* severity_name(Finding::Severity severity) {
  return severity == Finding::Severity::error ? "error" : "warning";
}

}  // namespace

std::vector<Finding> judge(const std::vector<ServerFacts>& servers) {
  std::vector<Finding> findings;
  judge_ensemble(servers, findings);
  for (const ServerFacts& facts : servers) judge_server(facts, findings);
  std::ranges::stable_sort(findings, {}, &Finding::severity);
  return findings;
}

std::string text_of(const std::vector<Finding>& findings) {
  std::vector<Row> rows{{"", "SERVER", "WHAT IS WRONG, AND WHAT TO DO"}};
  for (const Finding& finding : findings) {
    rows.push_back({severity_name(finding.severity),
                    finding.server.empty() ? "ensemble" : finding.server, finding.problem});
    rows.push_back({"", "", "  " + finding.advice});
  }
  return table(rows, {false, false, false});
}

nlohmann::json json_of(const std::vector<Finding>& findings) {
  nlohmann::json all = nlohmann::json::array();
  for (const Finding& finding : findings) {
    nlohmann::json object{{"severity", severity_name(finding.severity)},
                          {"check", finding.check},
                          {"server", nullptr},
                          {"problem", finding.problem},
                          {"advice", finding.advice}};
    if (!finding.server.empty()) object["server"] = finding.server;
    all.push_back(std::move(object));
  }
  return all;
}

}  // namespace shell
