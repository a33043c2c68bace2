#include "server/replication/server_environment.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "server/auth/session_password.h"

namespace server {

void ServerEnvironment::post(zab::Event event) { driver_.post(std::move(event)); }

void ServerEnvironment::send(zab::ServerId to, const PeerMessage& message) {
  links_.send(to, message);
}

wire::TimeMs ServerEnvironment::wall_clock() {
  // The nanoseconds of std::chrono end in the year 2262, and a clock may show anything.
  std::timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  constexpr std::int64_t seconds_max = std::int64_t{1} << 45;
  const auto seconds = std::clamp<std::int64_t>(now.tv_sec, -seconds_max, seconds_max);
  return 1000 * seconds + now.tv_nsec / 1'000'000;
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
