#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/shell/http_pages.h"
#include "tools/shell/print.h"
#include "tools/shell/runner.h"
#include "tools/shell/session_stream.h"
#include "tools/shell/watched_paths.h"
#include "wire/zxid.h"

// The commands of operators about sessions, watches and checkpoints.
namespace shell {
namespace {

using std::chrono::milliseconds;
using zabkeeper::Endpoint;

// A checkpoint of a large tree takes some time.
constexpr milliseconds checkpoint_timeout{60'000};

Row session_row(const nlohmann::json& session) {
  return {json_text(session, "session"),
          seconds_text(milliseconds(session["timeoutMs"].get<std::int64_t>())) + " s",
          json_text(session, "server"),
          json_text(session, "address"),
          json_text(session, "ephemerals"),
          json_text(session, "watches"),
          json_text(session, "outstanding")};
}

}  // namespace

SessionStream Runner::sessions_of(const Endpoint& server, std::optional<std::uint32_t> at) const {
  return SessionStream(
      [server, auth = settings_.auth](const std::string& target) {
        return result_of_command(server, target, auth, {});
      },
      at);
}

// The first server that answers lists all sessions. Each other server adds the facts that only it
// knows about its clients.
void Runner::on(const Sessions& sessions) {
  if (!sessions.kill.empty()) return kill_sessions(sessions);
  const auto statuses = ask_all(settings_.servers, status_of);
  const Endpoint* base = nullptr;
  std::map<std::uint32_t, SessionStream> own;
  std::map<std::uint32_t, const Endpoint*> known;
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    const Endpoint& server = settings_.servers[i];
    if (statuses[i].has_error()) {
      err_ << server.url() << ": " << statuses[i].error().message << '\n';
      continue;
    }
    const auto id = (*statuses[i])["id"].get<std::uint32_t>();
    if (!known.emplace(id, &server).second) continue;
    if (base == nullptr) {
      base = &server;
    } else {
      own.emplace(id, sessions_of(server, id));
    }
  }
  if (base == nullptr) return fail(exit_no_server, "no server gave its status");
  SessionStream all = sessions_of(*base, sessions.at);
  list_sessions(all, own);
  for (const auto& [id, server] : known) {
    const auto stream = own.find(id);
    if (stream != own.end()) report_list_error(*server, stream->second.error());
  }
  report_list_error(*base, all.error());
}

void Runner::list_sessions(SessionStream& all, std::map<std::uint32_t, SessionStream>& own) {
  constexpr std::size_t rows_at_a_time = 500;
  Table table({false, true, true, false, true, true, true});
  std::vector<Row> rows{
      {"SESSION", "TIMEOUT", "SERVER", "ADDRESS", "EPHEMERALS", "WATCHES", "OUTSTANDING"}};
  merge_sessions(all, own, [&](const nlohmann::json& session) {
    if (json_) {
      out_ << json_line(session);
      return;
    }
    if (common_.format == Format::raw) {
      out_ << raw_line(session_row(session));
      return;
    }
    rows.push_back(session_row(session));
    if (rows.size() < rows_at_a_time) return;
    out_ << table.text(rows);
    rows.clear();
  });
  if (common_.format == Format::table && !all.error()) out_ << table.text(rows);
}

void Runner::report_list_error(const Endpoint& server, const std::optional<wire::Error>& error) {
  if (!error) return;
  fail(exit_code(error->code, Effect::read), server.url() + ": " + error->message);
}

void Runner::kill_sessions(const Sessions& sessions) {
  int worst = exit_ok;
  for (const wire::SessionId id : sessions.kill) {
    exit_code_ = exit_ok;
    command_leader("/admin/sessions/kill?id=" + wire::to_hex(id.value), {},
                   [](const nlohmann::json& result) {
                     return "session " + json_text(result, "session") + " has ended";
                   });
    worst = std::max(worst, exit_code_);
  }
  exit_code_ = worst;
}

void Runner::on(const Watches& watches) {
  std::size_t replied = 0;
  std::vector<Row> totals{{"SERVER", "WATCHES", "PATHS"}};
  std::vector<WatchedPath> top;
  nlohmann::json all = nlohmann::json::array();
  for (const Endpoint& server : settings_.servers) {
    const auto found = most_watched(
        [&](const std::string& target) {
          return result_of_command(server, target, settings_.auth, {"watches", "watchedPaths"});
        },
        watches.top);
    if (found.has_error()) {
      report_list_error(server, found.error());
      continue;
    }
    replied += 1;
    totals.push_back({server.url(), std::to_string(found->watches), std::to_string(found->paths)});
    for (WatchedPath path : found->top) {
      path.server = server.url();
      add_path(top, path, watches.top);
    }
    all.push_back(json_of(*found, server.url()));
  }
  if (replied == 0) return;
  if (json_) {
    out_ << json_line(all);
    return;
  }
  out_ << table(totals, {false, true, true});
  if (top.empty()) return;
  std::vector<Row> rows{{"WATCHES", "OF", "SERVER", "PATH"}};
  for (const WatchedPath& path : top) {
    rows.push_back(
        {std::to_string(path.watches), path.subtree ? "subtree" : "node", path.server, path.path});
  }
  out_ << '\n' << table(rows, {true, false, false, false});
}

// One server after the other, so that not all of them are busy at the same time.
void Runner::on(const Checkpoint&) {
  std::vector<Row> rows{{"SERVER", "ZXID", "BYTES", ""}};
  nlohmann::json all = nlohmann::json::array();
  for (const Endpoint& server : settings_.servers) {
    auto taken = result_of_command(server, "/admin/checkpoint", settings_.auth, {"bytes"},
                                   checkpoint_timeout);
    nlohmann::json result = {{"server", server.url()}};
    std::string problem;
    if (taken.has_error()) {
      problem = taken.error().message;
      result["error"] = problem;
      exit_code_ = exit_code(taken.error().code, Effect::read);
    } else {
      result.update(*taken);
    }
    rows.push_back({server.url(), json_text(result, "zxid"), json_text(result, "bytes"), problem});
    all.push_back(std::move(result));
  }
  print_rows(rows, {false, false, true, false}, all);
}

}  // namespace shell
