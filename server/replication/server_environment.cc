#include "server/replication/server_environment.h"

#include <chrono>
#include <utility>

#include "server/auth/session_password.h"

namespace server {

void ServerEnvironment::post(zab::Event event) { driver_.post(std::move(event)); }

void ServerEnvironment::send(zab::ServerId to, const PeerMessage& message) {
  links_.send(to, message);
}

wire::TimeMs ServerEnvironment::wall_clock() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

SteadyClock::time_point ServerEnvironment::now() { return SteadyClock::now(); }

std::vector<ServerLevels> ServerEnvironment::server_levels() {
  std::vector<ServerLevels> levels;
  for (const std::uint32_t server : servers_) {
    if (server == self_) {
      levels.push_back({server, wire::known_levels});
      continue;
    }
    const auto program = links_.program_of(zab::ServerId{server});
    levels.push_back({server, program ? std::optional(program->levels) : std::nullopt});
  }
  return levels;
}

void ServerEnvironment::level_changed(wire::Level level) {
  links_.level_changed();
  log_.set_level(level);
}

std::string ServerEnvironment::new_password() { return server::new_password(); }

}  // namespace server
