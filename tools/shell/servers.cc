#include <chrono>
#include <ostream>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "client-lib/http.h"
#include "tools/shell/print.h"
#include "tools/shell/runner.h"

// The commands that ask each server over plain HTTP.
namespace shell {
namespace {

using std::chrono::milliseconds;

std::string json_text(const nlohmann::json& object, const char* field) {
  const auto found = object.is_object() ? object.find(field) : object.end();
  if (!object.is_object() || found == object.end() || found->is_null()) return "-";
  if (found->is_object() && found->contains("least") && found->contains("greatest")) {
    return json_text(*found, "least") + " to " + json_text(*found, "greatest");
  }
  return found->is_string() ? found->get<std::string>() : found->dump();
}

}  // namespace

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
  for (const zabkeeper::Endpoint& server : settings_.servers) {
    const auto reply = zabkeeper::http_get(server, "/status", milliseconds(2'000));
    nlohmann::json status;
    std::string problem;
    if (reply.has_error()) {
      problem = reply.error().message;
    } else {
      status = nlohmann::json::parse(reply->body, nullptr, false);
      if (!status.is_object()) problem = "HTTP " + std::to_string(reply->status);
    }
    replied += problem.empty() ? 1 : 0;
    Row row{server.url()};
    for (const Column& column : columns) {
      row.push_back(problem.empty() ? json_text(status, column.field) : "-");
    }
    row.push_back(problem);
    rows.push_back(std::move(row));
    if (!problem.empty()) status = {{"error", problem}};
    status["server"] = server.url();
    all.push_back(std::move(status));
  }
  if (json_) {
    out_ << all.dump() << '\n';
  } else {
    out_ << table(rows, right);
  }
  if (replied == 0) exit_code_ = exit_no_server;
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
    const auto reply = zabkeeper::http_get(server, "/metrics", milliseconds(2'000));
    if (reply.has_error()) {
      err_ << server.url() << ": " << reply.error().message << '\n';
      continue;
    }
    replied += 1;
    if (settings_.servers.size() > 1) out_ << "# " << server.url() << '\n';
    std::istringstream lines(reply->body);
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
std::optional<zabkeeper::Endpoint> Runner::leader() const {
  for (const zabkeeper::Endpoint& server : settings_.servers) {
    const auto reply = zabkeeper::http_get(server, "/status", milliseconds(2'000));
    if (reply.has_error()) continue;
    const auto role = json_text(nlohmann::json::parse(reply->body, nullptr, false), "role");
    if (role == "leader" || role == "standalone") return server;
  }
  return std::nullopt;
}

void Runner::command_leader(const std::string& target, const Describe& describe) {
  const std::optional<zabkeeper::Endpoint> server = leader();
  if (!server) {
    throw Refused{
        {wire::ErrorCode::connection_loss, "none of the servers in --server is the leader"}, {}};
  }
  std::string authorization;
  for (const wire::AuthRequest& auth : settings_.auth) {
    if (auth.scheme == "digest") authorization = "digest " + auth.token;
  }
  const auto reply = zabkeeper::http_post(*server, target, authorization, milliseconds(15'000));
  if (reply.has_error()) throw Refused{reply.error(), {}, Effect::write};
  const auto result = nlohmann::json::parse(reply->body, nullptr, false);
  if (json_) {
    out_ << reply->body;
  } else if (reply->status == 200) {
    out_ << describe(result) << '\n';
  } else {
    err_ << json_text(result, "message") << '\n';
  }
  if (reply->status == 403) {
    exit_code_ = exit_no_auth;
  } else if (reply->status != 200) {
    exit_code_ = exit_other;
  }
}

void Runner::on(const Handover& handover) {
  std::string target = "/admin/handover";
  if (handover.to) target += "?to=" + std::to_string(*handover.to);
  command_leader(target, [](const nlohmann::json& result) {
    return "server " + json_text(result, "leader") + " leads, in epoch " +
           json_text(result, "epoch");
  });
}

void Runner::on(const ClusterLevel& wanted) {
  if (wanted.level) {
    return command_leader("/admin/level?to=" + std::to_string(*wanted.level),
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
