#include <utility>

#include "tests/sim/service/programs.h"
#include "tests/sim/service/world.h"
#include "wire/zxid.h"

// What a simulated server gives to its pipeline.
namespace sim {
namespace {

constexpr std::int64_t epoch_ms = 1'700'000'000'000;

}  // namespace

void World::ServerEnvironment::post(zab::Event event) {
  world->check_expiry(server, event);
  if (const auto* submit = std::get_if<zab::Submit>(&event)) {
    world->programs_.check(server, *submit);
  }
  world->cluster_->post(server, std::move(event));
}

void World::ServerEnvironment::send(zab::ServerId to, const server::PeerMessage& message) {
  world->cluster_->send(server, to.value - 1, message);
}

wire::TimeMs World::ServerEnvironment::wall_clock() {
  return epoch_ms + static_cast<std::int64_t>(world->now() * tick_ms / tick) +
         world->servers_[server].clock_ms;
}

void World::ServerEnvironment::call_soon() {
  world->at(server, world->now(), [this] {
    if (auto* pipeline = world->servers_[server].pipeline.get()) pipeline->go_on();
  });
}

std::vector<server::ServerLevels> World::ServerEnvironment::server_levels() {
  return world->programs_.known_to(server);
}

void World::ServerEnvironment::level_changed(wire::Level level) {
  world->programs_.level_changed(server, level);
}

std::string World::ServerEnvironment::new_password() {
  return wire::to_hex(world->random_.next()) + wire::to_hex(world->random_.next());
}

}  // namespace sim
