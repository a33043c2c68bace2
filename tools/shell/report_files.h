#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "client-lib/hosts.h"
#include "tools/shell/doctor.h"
#include "wire/requests.h"

// The files of a bug report.
namespace shell {

struct ReportFile {
  std::string name;
  std::string content;
};

// A part of a name: only letters, digits, dots and dashes.
[[nodiscard]] std::string name_part(const std::string& text);

// The files about one server. The configuration is shown only to operators; a file says why it is
// missing.
[[nodiscard]] std::vector<ReportFile> report_files(const zabkeeper::Endpoint& server,
                                                   const std::vector<wire::AuthRequest>& auth);

// The statuses of all servers, and what the doctor says.
[[nodiscard]] std::vector<ReportFile> summary_files(const std::vector<ServerFacts>& servers);

}  // namespace shell
