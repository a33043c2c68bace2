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

std::string ServerEnvironment::new_password() { return server::new_password(); }

}  // namespace server
