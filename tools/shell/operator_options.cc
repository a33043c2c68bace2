#include "tools/shell/operator_options.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "tools/shell/watched_paths.h"

namespace shell {
namespace {

wire::SessionId session_of(const std::string& text) {
  const auto bits = wire::from_hex(text);
  if (!bits) throw CLI::ValidationError("ID", "must be a session's id of 16 hex digits: " + text);
  return {*bits};
}

}  // namespace

// The callbacks run in the order in which the options are added here.
void add_options(CLI::App& sub, Status& status) {
  auto* watch = sub.add_flag_callback("--watch", [&] { status.watch.emplace(1'000); });
  sub.add_option_function<double>(
         "--interval",
         [&](double seconds) { status.watch.emplace(static_cast<std::int64_t>(1'000 * seconds)); })
      ->check(CLI::Range(0.1, 86'400.0))
      ->needs(watch);
}

void add_options(CLI::App& sub, Sessions& sessions) {
  sub.require_subcommand(0, 1);
  sub.add_option("--at", sessions.at);
  sub.add_subcommand("kill")
      ->add_option_function<std::vector<std::string>>("ID",
                                                      [&](const std::vector<std::string>& ids) {
                                                        for (const std::string& id : ids)
                                                          sessions.kill.push_back(session_of(id));
                                                      })
      ->required();
}

void add_options(CLI::App& sub, Watches& watches) {
  sub.add_option("--top", watches.top)->check(CLI::Range(std::size_t{1}, watched_paths_max));
}

void add_options(CLI::App&, Checkpoint&) {}

void add_options(CLI::App& sub, Debug& debug) { sub.add_option("FILE", debug.file); }

void add_options(CLI::App& sub, Locks& locks) {
  sub.add_flag("-R", locks.recursive);
  sub.add_option("PATH", locks.path);
}

}  // namespace shell
