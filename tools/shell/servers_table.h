#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "client-lib/hosts.h"
#include "tools/shell/print.h"
#include "wire/result.h"

// The status of each server in a row.
namespace shell {

struct ServersColumn {
  const char* title;
  std::function<std::string(const nlohmann::json& status)> text;
  bool is_number = false;
};
// The columns of `zab status` and of `zab cluster level`.
[[nodiscard]] std::vector<ServersColumn> status_columns();
[[nodiscard]] std::vector<ServersColumn> level_columns();

struct ServersTable {
  std::vector<Row> rows;  // the first has the titles
  std::vector<bool> right;
  std::string text;
  nlohmann::json objects;  // the statuses; without a status an `error`
  std::size_t replied = 0;
};
// The last column says why a server has no status.
[[nodiscard]] ServersTable servers_table(const std::vector<ServersColumn>& columns,
                                         const std::vector<zabkeeper::Endpoint>& servers,
                                         std::vector<wire::Result<nlohmann::json>> statuses);

}  // namespace shell
