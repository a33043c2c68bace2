#include <algorithm>
#include <utility>
#include <vector>

#include "tools/shell/archive.h"
#include "tools/shell/doctor.h"
#include "tools/shell/http_pages.h"
#include "tools/shell/print.h"
#include "tools/shell/report_files.h"
#include "tools/shell/runner.h"

// The commands that examine all servers: they collect facts, and report what is wrong.
namespace shell {
namespace {

ServerFacts facts_of(const zabkeeper::Endpoint& server) {
  ServerFacts facts{server.url(), nullptr, {}, {}};
  auto status = status_of(server);
  if (status.has_error()) {
    facts.problem = status.error().message;
    return facts;
  }
  facts.status = std::move(*status);
  if (!json_flag(facts.status, "serving", true)) facts.problem = why_not_ready(server);
  if (const auto metrics = metrics_of(server); metrics.has_value()) {
    facts.metrics = MetricsPage(*metrics);
  }
  return facts;
}

}  // namespace

void Runner::on(const Doctor&) {
  const std::vector<ServerFacts> servers = ask_all(settings_.servers, facts_of);
  const std::vector<Finding> findings = judge(servers);
  if (json_) {
    out_ << json_line(json_of(findings));
  } else if (findings.empty()) {
    out_ << "nothing is wrong with " << servers.size()
         << (servers.size() == 1 ? " server\n" : " servers\n");
  } else {
    out_ << text_of(findings);
  }
  if (!findings.empty()) exit_code_ = exit_other;
  const bool is_any_there = std::ranges::any_of(
      servers, [](const ServerFacts& facts) { return !facts.status.is_null(); });
  if (!is_any_there) fail(exit_no_server, "no server gave its status");
}

void Runner::on(const Debug& debug) {
  const wire::TimeMs now = wall_clock_ms();
  const std::string folder = "zabkeeper-debug-" + name_part(time_text(now).substr(0, 19));
  const std::string path = debug.file.empty() ? folder + ".tar.gz" : debug.file;
  Archive archive(path, now / 1000);
  const auto add = [&](const std::string& below, const std::vector<ReportFile>& files) {
    for (const ReportFile& file : files)
      archive.add(folder + '/' + below + file.name, file.content);
  };
  const std::vector<ServerFacts> facts = ask_all(settings_.servers, facts_of);
  add("", summary_files(facts));
  const std::vector<std::vector<ReportFile>> files = ask_all(
      settings_.servers,
      [&](const zabkeeper::Endpoint& server) { return report_files(server, settings_.auth); });
  for (std::size_t i = 0; i < files.size(); ++i) {
    constexpr std::size_t url_bytes_max = 30;
    const std::string url = name_part(to_string(settings_.servers[i].address));
    const std::string below = std::to_string(i + 1) + '-' + url.substr(0, url_bytes_max) + '/';
    add(below, files[i]);
    for (const ReportFile& file : files[i]) {
      if (!file.name.ends_with(".missing")) continue;
      err_ << settings_.servers[i].url() << ": no " << file.name.substr(0, file.name.find('.'))
           << ": " << file.content;
    }
  }
  archive.finish();
  if (json_) {
    out_ << json_line({{"file", path}});
  } else {
    out_ << path << '\n';
  }
}

}  // namespace shell
