#include <chrono>
#include <sstream>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/shell/http_pages.h"
#include "tools/shell/print.h"
#include "tools/shell/repaint.h"
#include "tools/shell/runner.h"
#include "tools/shell/servers_table.h"

// The commands that ask each server over plain HTTP.
namespace shell {
void Runner::show_servers(const std::vector<ServersColumn>& columns) {
  const ServersTable shown =
      servers_table(columns, settings_.servers, ask_all(settings_.servers, status_of));
  print_rows(shown.rows, shown.right, shown.objects);
  if (shown.replied > 0) return;
  err_ << "no server gave its status\n";
  exit_code_ = exit_no_server;
}

void Runner::on(const Status& status) {
  if (!status.watch) return show_servers(status_columns());
  settings_.catch_interrupts();
  const auto make = [&] {
    const ServersTable shown =
        servers_table(status_columns(), settings_.servers, ask_all(settings_.servers, status_of));
    if (json_) return json_line(shown.objects);
    return "every " + seconds_text(*status.watch) + " s, " + time_text(wall_clock_ms()) + '\n' +
           shown.text;
  };
  repaint(out_, *status.watch, make, [] { return interrupted.load(); });
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

// The server that leads. A standalone server counts as the leader.
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
  show_servers(level_columns());
}

}  // namespace shell
