#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/shell/metrics_page.h"

// What is wrong with an ensemble, or will be.
namespace shell {

// What one server says about itself.
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

// Errors first. All servers of the ensemble should be among `servers`.
[[nodiscard]] std::vector<Finding> judge(const std::vector<ServerFacts>& servers);

// The parts of `judge`: what one server's facts show, and what only those of all show.
void judge_server(const ServerFacts& facts, std::vector<Finding>& findings);
void judge_ensemble(const std::vector<ServerFacts>& servers, std::vector<Finding>& findings);

[[nodiscard]] std::string text_of(const std::vector<Finding>& findings);
[[nodiscard]] nlohmann::json json_of(const std::vector<Finding>& findings);

}  // namespace shell
