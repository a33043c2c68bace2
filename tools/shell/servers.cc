#include <algorithm>
#include <chrono>
#include <ostream>
#include <sstream>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "client-lib/http.h"
#include "tools/shell/print.h"
#include "tools/shell/runner.h"

// The commands that ask each server over plain HTTP.
namespace shell {
namespace {

using std::chrono::milliseconds;

constexpr const char* nothing = "-";
constexpr const char* not_zabkeeper = "HTTP 200, but not the page of a Zabkeeper server";

std::string json_text(const nlohmann::json& object, const char* field) {
  const auto found = object.is_object() ? object.find(field) : object.end();
  if (!object.is_object() || found == object.end() || found->is_null()) return nothing;
  if (found->is_object() && found->contains("least") && found->contains("greatest")) {
    return json_text(*found, "least") + " to " + json_text(*found, "greatest");
  }
  if (found->is_string()) return found->get<std::string>();
  return found->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// "HTTP 421: unknown Host header: x". A page of another program is cut short.
std::string error_of(const zabkeeper::HttpReply& reply) {
  constexpr std::size_t words_max = 100;
  const std::string message =
      json_text(nlohmann::json::parse(reply.body, nullptr, false), "message");
  const std::string words = message != nothing ? message : reply.body.substr(0, words_max);
  const std::string line = words.substr(0, words.find_first_of("\r\n"));
  return "HTTP " + std::to_string(reply.status) + (line.empty() ? "" : ": " + line);
}

bool has_numbers(const nlohmann::json& object, const std::vector<const char*>& fields) {
  return object.is_object() && std::ranges::all_of(fields, [&](const char* field) {
           const auto found = object.find(field);
           return found != object.end() && found->is_number_unsigned();
         });
}

bool is_status(const nlohmann::json& page) {
  return has_numbers(page, {"id", "epoch"}) && page.contains("role") &&
         std::ranges::find(wire::names_of<wire::Role>, json_text(page, "role")) !=
             wire::names_of<wire::Role>.end();
}

nlohmann::json error_object(const std::string& message) {
  return {{"error", "SystemError"}, {"message", message}};
}

}  // namespace

zabkeeper::Result<std::string> Runner::page(const zabkeeper::Endpoint& server,
                                            const std::string& target) {
  auto reply = zabkeeper::http_get(server, target, milliseconds(2'000));
  if (reply.has_error()) return reply.error();
  if (reply->status != 200) return wire::Error{wire::ErrorCode::system_error, error_of(*reply)};
  return std::move(reply->body);
}

zabkeeper::Result<nlohmann::json> Runner::status_of(const zabkeeper::Endpoint& server) {
  const auto body = page(server, "/status");
  if (body.has_error()) return body.error();
  auto status = nlohmann::json::parse(*body, nullptr, false);
  if (!is_status(status)) {
    return wire::Error{wire::ErrorCode::system_error, not_zabkeeper};
  }
  return {boost::system::in_place_value, std::move(status)};
}

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
    auto reply = status_of(server);
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
  print_rows(rows, right, all);
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
    auto body = page(server, "/metrics");
    if (body.has_value() && body->find("# TYPE zabkeeper_") == std::string::npos) {
      body = wire::Error{wire::ErrorCode::system_error, not_zabkeeper};
    }
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
  const zabkeeper::Endpoint server = leader();
  std::string authorization;
  for (const wire::AuthRequest& auth : settings_.auth) {
    if (auth.scheme == "digest") authorization = "digest " + auth.token;
  }
  const auto reply = zabkeeper::http_post(server, target, authorization, milliseconds(15'000));
  if (reply.has_error()) throw Refused{reply.error(), {}, Effect::write};
  auto result = nlohmann::json::parse(reply->body, nullptr, false);
  const bool is_done = reply->status == 200 && has_numbers(result, numbers);
  if (reply->status == 200 && !is_done) {
    result = error_object(not_zabkeeper);
  } else if (reply->status != 200 && json_text(result, "message") == nothing) {
    result = error_object(error_of(*reply));
  }
  if (json_) {
    out_ << json_line(result);
  } else if (is_done) {
    out_ << describe(result) << '\n';
  } else {
    err_ << json_text(result, "message") << '\n';
  }
  if (!is_done) exit_code_ = reply->status == 403 ? exit_no_auth : exit_other;
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
