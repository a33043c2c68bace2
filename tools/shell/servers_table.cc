#include "tools/shell/servers_table.h"

#include <cstdint>
#include <utility>

#include "tools/shell/http_pages.h"
#include "tools/shell/print.h"

namespace shell {
namespace {

ServersColumn field_column(const char* title, const char* field, bool is_number = false) {
  return {title, [field](const nlohmann::json& status) { return json_text(status, field); },
          is_number};
}

// "31 % free"
std::string disk_text(const nlohmann::json& status) {
  if (!status.contains("disk") || !has_numbers(status["disk"], {"freeBytes", "sizeBytes"})) {
    return nothing;
  }
  const auto free_bytes = status["disk"]["freeBytes"].get<double>();
  const auto size_bytes = status["disk"]["sizeBytes"].get<double>();
  if (size_bytes <= 0) return nothing;
  return std::to_string(static_cast<int>(100 * free_bytes / size_bytes)) + " % free";
}

// "-12 ms": the clock is behind.
std::string clock_text(const nlohmann::json& status) {
  const auto found = status.find("clockOffsetMs");
  if (found == status.end() || !found->is_number_integer()) return nothing;
  const auto offset = found->get<std::int64_t>();
  return (offset > 0 ? "+" : "") + std::to_string(offset) + " ms";
}

}  // namespace

std::vector<ServersColumn> status_columns() {
  return {field_column("ID", "id", true),       field_column("ROLE", "role"),
          field_column("EPOCH", "epoch", true), field_column("ZXID", "zxid"),
          field_column("LAG", "lag", true),     field_column("SESSIONS", "sessions", true),
          field_column("NODES", "nodes", true), {"DISK", disk_text, true},
          {"CLOCK", clock_text, true},          field_column("VERSION", "version")};
}

std::vector<ServersColumn> level_columns() {
  return {field_column("ID", "id", true), field_column("VERSION", "version"),
          field_column("LEVEL", "level", true), field_column("CAN RUN AT", "levels"),
          field_column("ON DISK", "diskLevel", true)};
}

ServersTable servers_table(const std::vector<ServersColumn>& columns,
                           const std::vector<zabkeeper::Endpoint>& servers,
                           std::vector<wire::Result<nlohmann::json>> statuses) {
  Row titles{"SERVER"};
  std::vector<bool> right{false};
  for (const ServersColumn& column : columns) {
    titles.emplace_back(column.title);
    right.push_back(column.is_number);
  }
  titles.emplace_back();
  right.push_back(false);
  std::vector<Row> rows{std::move(titles)};
  ServersTable made{{}, {}, {}, nlohmann::json::array(), 0};
  for (std::size_t i = 0; i < servers.size(); ++i) {
    auto& reply = statuses[i];
    const std::string problem = reply.has_error() ? reply.error().message : "";
    nlohmann::json status = {{"error", problem}};
    if (reply.has_value()) status = std::move(*reply);
    made.replied += reply.has_error() ? 0 : 1;
    Row row{servers[i].url()};
    for (const ServersColumn& column : columns) row.push_back(column.text(status));
    row.push_back(problem);
    rows.push_back(std::move(row));
    status["server"] = servers[i].url();
    made.objects.push_back(std::move(status));
  }
  made.text = table(rows, right);
  made.rows = std::move(rows);
  made.right = std::move(right);
  return made;
}

}  // namespace shell
