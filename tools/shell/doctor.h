#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/shell/metrics_page.h"

// Finds what is wrong with an ensemble, and what will soon be.
namespace shell {

// The facts that one server reports about itself.
struct ServerFacts {
  std::string server;     // its url
  nlohmann::json status;  // null: there is none
  std::string problem;    // why there is no status, or why the server does not serve
  MetricsPage metrics;    // empty: there are none
};

struct Finding {
  enum class Severity : std::uint8_t { error, warning };  // wrong now, or soon

  Severity severity = Severity::warning;
  std::string check;   // a stable name, for scripts
  std::string server;  // its url; empty: the ensemble
  std::string problem;
  std::string advice;  // what to do
};

// Returns all findings, errors first. `servers` should have all servers of the ensemble.
[[nodiscard]] std::vector<Finding> judge(const std::vector<ServerFacts>& servers);

// The parts of `judge`: the findings about one server, and those that need the facts of all
// servers.
void judge_server(const ServerFacts& facts, std::vector<Finding>& findings);
void judge_ensemble(const std::vector<ServerFacts>& servers, std::vector<Finding>& findings);

[[nodiscard]] std::string text_of(const std::vector<Finding>& findings);
[[nodiscard]] nlohmann::json json_of(const std::vector<Finding>& findings);

}  // namespace shell
