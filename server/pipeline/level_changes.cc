#include "server/pipeline/level_changes.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include <spdlog/spdlog.h>

namespace server {
namespace {

// The first leader of a new ensemble raises the level in any case: there is nothing to go back to.
constexpr wire::Epoch first_epoch{1};

wire::Error refusal(std::string why) { return {wire::ErrorCode::bad_arguments, std::move(why)}; }

}  // namespace

wire::Result<void> all_can_run_at(wire::Level level, const std::vector<ServerLevels>& servers) {
  for (const ServerLevels& server : servers) {
    const std::string name = "server " + std::to_string(server.server);
    if (!server.levels) {
      return refusal(name +
                     " has no link with the leader: start it with a program that can run at " +
                     wire::to_string(level));
    }
    if (!server.levels->contains(level)) {
      return refusal(name + " can run at " + wire::to_string(*server.levels) +
                     " only: start it with a program that can run at " + wire::to_string(level));
    }
  }
  return {};
}

wire::Result<void> all_have_equal_levels(const std::vector<ServerLevels>& servers) {
  for (const ServerLevels& server : servers) {
    const ServerLevels& first = servers.front();
    if (!server.levels || !first.levels) {
      const std::uint32_t unknown = first.levels ? server.server : first.server;
      return refusal("server " + std::to_string(unknown) +
                     " has no link with the leader: start it before the level is lowered");
    }
    if (*server.levels != *first.levels) {
      return refusal("server " + std::to_string(first.server) + " can run at " +
                     wire::to_string(*first.levels) + ", and server " +
                     std::to_string(server.server) + " at " + wire::to_string(*server.levels) +
                     ": run the same program on every server before the level is lowered");
    }
  }
  return {};
}

std::optional<wire::Level> next_level(wire::Level now, const std::vector<ServerLevels>& servers) {
  wire::Level greatest{std::numeric_limits<std::uint32_t>::max()};
  for (const ServerLevels& server : servers) {
    if (!server.levels) return std::nullopt;
    greatest = std::min(greatest, server.levels->greatest);
  }
  if (servers.empty() || greatest <= now || !all_can_run_at(greatest, servers)) return std::nullopt;
  return greatest;
}

LevelChanges::LevelChanges(bool automatic, const session::Service& service, Ordering& ordering,
                           Environment& environment)
    : automatic_(automatic), service_(service), ordering_(ordering), environment_(environment) {}

void LevelChanges::request(wire::Level level, Done done, OrderingOutcomes& out) {
  // They also apply the change itself, and what is before it.
  const std::vector<ServerLevels> servers = environment_.server_levels();
  auto possible = all_can_run_at(service_.level(), servers);
  if (possible) possible = all_can_run_at(level, servers);
  const bool lowers = level < service_.level();
  // Each server converts the kept results itself, and two programs may convert them differently.
  if (possible && lowers) possible = all_have_equal_levels(servers);
  if (lowers && automatic_) {
    possible = refusal(
        "upgrade=auto raises the level again: set upgrade=manual on every server, and "
        "restart them, the leader last");
  }
  if (possible) possible = ordering_.set_level(level, out);
  if (!possible) return done(possible);
  chosen_ = true;
  spdlog::info("an operator changes the ensemble from {} to {}", wire::to_string(service_.level()),
               wire::to_string(level));
  waiting_.push_back(std::move(done));
}

bool LevelChanges::raises_by_itself() const {
  return automatic_ || (ordering_.role_status().epoch == first_epoch && !chosen_);
}

void LevelChanges::raise_if_possible(OrderingOutcomes& out) {
  if (!ordering_.leads() || service_.level() == service_.known_levels().greatest) return;
  if (!raises_by_itself()) return;
  const auto level = next_level(service_.level(), environment_.server_levels());
  if (!level) return;
  if (ordering_.set_level(*level, out)) {
    spdlog::info("all servers can run at {}: the ensemble is raised to it",
                 wire::to_string(*level));
  }
}

void LevelChanges::changed() {
  spdlog::info("the ensemble is at {}", wire::to_string(service_.level()));
  environment_.level_changed(service_.level());
  finish({});
}

void LevelChanges::role_changed(OrderingOutcomes& out) {
  if (ordering_.leads()) return raise_if_possible(out);
  finish(wire::Error{wire::ErrorCode::connection_loss,
                     "this server does not lead any more: look at the level on the new leader"});
}

void LevelChanges::finish(const wire::Result<void>& result) {
  for (const Done& done : std::exchange(waiting_, {})) done(result);
}

}  // namespace server
