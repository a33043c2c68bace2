#include "tools/shell/report_files.h"

#include <utility>

#include "tools/shell/http_pages.h"

namespace shell {
namespace {

constexpr int report_indent = 2;

std::string pretty(const nlohmann::json& object) {
  return object.dump(report_indent, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

template <typename Value, typename Text>
ReportFile file_of(std::string name, const wire::Result<Value>& value, const Text& text) {
  if (value.has_error()) return {name + ".missing", value.error().message + '\n'};
  return {std::move(name), text(*value)};
}

}  // namespace

std::string name_part(const std::string& text) {
  std::string name;
  for (const char c : text) {
    const bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                          (c >= 'A' && c <= 'Z') || c == '.' || c == '-';
    name += is_plain ? c : '_';
  }
  return name;
}

std::vector<ReportFile> report_files(const zabkeeper::Endpoint& server,
                                     const std::vector<wire::AuthRequest>& auth) {
  const auto as_it_is = [](const std::string& text) { return text; };
  return {file_of("status.json", status_of(server), pretty),
          file_of("metrics.txt", metrics_of(server), as_it_is),
          file_of("configuration.json", result_of_command(server, "/admin/configuration", auth, {}),
                  pretty)};
}

std::vector<ReportFile> summary_files(const std::vector<ServerFacts>& servers) {
  const std::vector<Finding> findings = judge(servers);
  std::string list;
  for (const ServerFacts& facts : servers) {
    list += facts.server + ": " +
            (facts.problem.empty()
                 ? json_text(facts.status, "version") + ", " + json_text(facts.status, "role") +
                       ", level " + json_text(facts.status, "level")
                 : facts.problem) +
            '\n';
  }
  return {{"servers.txt", std::move(list)},
          {"doctor.txt", findings.empty() ? "nothing is wrong\n" : text_of(findings)}};
}

}  // namespace shell
