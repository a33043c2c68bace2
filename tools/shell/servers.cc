#include <chrono>
#include <ostream>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "client-lib/http.h"
#include "tools/shell/print.h"
#include "tools/shell/runner.h"

// What the servers themselves are asked, over plain HTTP.
namespace shell {
namespace {

using std::chrono::milliseconds;

std::string json_text(const nlohmann::json& object, const char* field) {
  const auto found = object.is_object() ? object.find(field) : object.end();
  if (!object.is_object() || found == object.end() || found->is_null()) return "-";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

}  // namespace

void Runner::on(const Status&) {
  std::vector<Row> rows{{"SERVER", "ID", "ROLE", "EPOCH", "ZXID", "SESSIONS", "NODES", ""}};
  nlohmann::json all = nlohmann::json::array();
  std::size_t answered = 0;
  for (const zabkeeper::Endpoint& server : settings_.servers) {
    const auto answer = zabkeeper::http_get(server, "/status", milliseconds(2'000));
    nlohmann::json status;
    std::string complaint;
    if (answer.has_error()) {
      complaint = answer.error().message;
    } else {
      status = nlohmann::json::parse(answer->body, nullptr, false);
      if (!status.is_object()) complaint = "HTTP " + std::to_string(answer->status);
    }
    answered += complaint.empty() ? 1 : 0;
    Row row{server.url()};
    for (const char* field : {"id", "role", "epoch", "zxid", "sessions", "nodes"}) {
      row.push_back(complaint.empty() ? json_text(status, field) : "-");
    }
    row.push_back(complaint);
    rows.push_back(std::move(row));
    if (!complaint.empty()) status = {{"error", complaint}};
    status["server"] = server.url();
    all.push_back(std::move(status));
  }
  if (json_) {
    out_ << all.dump() << '\n';
  } else {
    out_ << table(rows, {false, true, false, true, false, true, true, false});
  }
  if (answered == 0) exit_code_ = exit_no_server;
}

void Runner::on(const Metrics& metrics) {
  std::size_t answered = 0;
  for (const zabkeeper::Endpoint& server : settings_.servers) {
    const auto answer = zabkeeper::http_get(server, "/metrics", milliseconds(2'000));
    if (answer.has_error()) {
      err_ << server.url() << ": " << answer.error().message << '\n';
      continue;
    }
    answered += 1;
    if (settings_.servers.size() > 1) out_ << "# " << server.url() << '\n';
    std::istringstream lines(answer->body);
    for (std::string line; std::getline(lines, line);) {
      const bool is_comment = line.starts_with('#');
      if (metrics.prefix.empty() || (!is_comment && line.starts_with(metrics.prefix))) {
        out_ << line << '\n';
      }
    }
  }
  if (answered == 0) exit_code_ = exit_no_server;
}

// The server that leads, by its own word.
std::optional<zabkeeper::Endpoint> Runner::leader() const {
  for (const zabkeeper::Endpoint& server : settings_.servers) {
    const auto answer = zabkeeper::http_get(server, "/status", milliseconds(2'000));
    if (answer.has_error()) continue;
    if (json_text(nlohmann::json::parse(answer->body, nullptr, false), "role") == "leader") {
      return server;
    }
  }
  return std::nullopt;
}

void Runner::on(const Handover& handover) {
  const std::optional<zabkeeper::Endpoint> server = leader();
  if (!server) {
    throw Refused{{wire::ErrorCode::connection_loss, "none of the --server servers leads"}, {}};
  }
  std::string target = "/admin/handover";
  if (handover.to) target += "?to=" + std::to_string(*handover.to);
  std::string authorization;
  for (const wire::AuthRequest& auth : settings_.auth) {
    if (auth.scheme == "digest") authorization = "digest " + auth.token;
  }
  const auto answer = zabkeeper::http_post(*server, target, authorization, milliseconds(15'000));
  if (answer.has_error()) throw Refused{answer.error(), {}, Effect::write};
  const auto said = nlohmann::json::parse(answer->body, nullptr, false);
  if (json_) {
    out_ << answer->body;
  } else if (answer->status == 200) {
    out_ << "server " << json_text(said, "leader") << " leads, in epoch "
         << json_text(said, "epoch") << '\n';
  } else {
    err_ << json_text(said, "message") << '\n';
  }
  if (answer->status == 403) {
    exit_code_ = exit_no_auth;
  } else if (answer->status != 200) {
    exit_code_ = exit_other;
  }
}

}  // namespace shell
