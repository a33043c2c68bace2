#include <chrono>
#include <sstream>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/shell/http_pages.h"
#include "tools/shell/print.h"
#include "tools/shell/runner.h"

// The commands that ask each server over plain HTTP.
namespace shell {

// The last column says why there is no status of a server.
void Runner::show_servers(const std::vector<Column>& columns) {
  Row titles{"SERVER"};
  std::vector<bool> right{false};
  for (const Column& column : columns) {
    titles.push_back(column.title);
    right.push_back(column.is_number);
  }
  titles.emplace_back();
  right.push_back(false);
  std::vector<Row> rows{std::move(titles)};
  nlohmann::json all = nlohmann::json::array();
  std::size_t replied = 0;
  auto replies = ask_all(settings_.servers, status_of);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    const zabkeeper::Endpoint& server = settings_.servers[i];
    auto& reply = replies[i];
    const std::string problem = reply.has_error() ? reply.error().message : "";
    nlohmann::json status = {{"error", problem}};
    if (reply.has_value()) status = std::move(*reply);
    replied += reply.has_error() ? 0 : 1;
    Row row{server.url()};
    for (const Column& column : columns) row.push_back(json_text(status, column.field));
    row.push_back(problem);
    rows.push_back(std::move(row));
    status["server"] = server.url();
    all.push_back(std::move(status));
  }
  out_ << (json_ ? json_line(all) : table(rows, right));
  if (replied > 0) return;
  err_ << "no server gave its status\n";
  exit_code_ = exit_no_server;
}

void Runner::on(const Status&) {
  show_servers({{"ID", "id", true},
                {"ROLE", "role"},
                {"EPOCH", "epoch", true},
                {"ZXID", "zxid"},
                {"SESSIONS", "sessions", true},
                {"NODES", "nodes", true}});
}

void Runner::on(const Metrics& metrics) {
  std::size_t replied = 0;
  for (const zabkeeper::Endpoint& server : settings_.servers) {
    const auto body = metrics_of(server);
    if (body.has_error()) {
      err_ << server.url() << ": " << body.error().message << '\n';
      continue;
    }
    replied += 1;
    if (settings_.servers.size() > 1) out_ << "# " << server.url() << '\n';
    std::istringstream lines(*body);
    for (std::string line; std::getline(lines, line);) {
      const bool is_comment = line.starts_with('#');
      if (metrics.prefix.empty() || (!is_comment && line.starts_with(metrics.prefix))) {
        out_ << line << '\n';
      }
    }
  }
  if (replied == 0) exit_code_ = exit_no_server;
}

// The server that leads; a standalone one does.
zabkeeper::Endpoint Runner::leader() const {
  std::string problems;
  for (const zabkeeper::Endpoint& server : settings_.servers) {
    const auto status = status_of(server);
    if (status.has_error()) {
      problems += "; " + server.url() + ": " + status.error().message;
      continue;
    }
    const std::string role = json_text(*status, "role");
    if (role == "leader" || role == "standalone") return server;
  }
  throw Refused{{wire::ErrorCode::connection_loss,
                 "none of the servers in --server is the leader" + problems},
                {}};
}

void Runner::command_leader(const std::string& target, const std::vector<const char*>& numbers,
                            const Describe& describe) {
  const auto reply = give_command(leader(), target, settings_.auth, numbers);
  if (reply.has_error()) throw Refused{reply.error(), {}, Effect::write};
  if (json_) {
    out_ << json_line(reply->object);
  } else if (reply->is_done) {
    out_ << describe(reply->object) << '\n';
  } else {
    err_ << json_text(reply->object, "message") << '\n';
  }
  if (!reply->is_done) exit_code_ = reply->status == 403 ? exit_no_auth : exit_other;
}

void Runner::on(const Handover& handover) {
  std::string target = "/admin/handover";
  if (handover.to) target += "?to=" + std::to_string(*handover.to);
  command_leader(target, {"leader", "epoch"}, [](const nlohmann::json& result) {
    return "server " + json_text(result, "leader") + " leads, in epoch " +
           json_text(result, "epoch");
  });
}

void Runner::on(const ClusterLevel& wanted) {
  if (wanted.level) {
    return command_leader("/admin/level?to=" + std::to_string(*wanted.level), {"level"},
                          [](const nlohmann::json& result) {
                            return "the ensemble is at level " + json_text(result, "level");
                          });
  }
  show_servers({{"ID", "id", true},
                {"VERSION", "version"},
                {"LEVEL", "level", true},
                {"CAN RUN AT", "levels"},
                {"ON DISK", "diskLevel", true}});
}

}  // namespace shell
