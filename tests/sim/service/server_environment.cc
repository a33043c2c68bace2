#include <utility>
#include <variant>

#include "session/transaction.h"
#include "tests/sim/service/programs.h"
#include "tests/sim/service/world.h"
#include "wire/zxid.h"

// What a simulated server gives to its pipeline.
namespace sim {

void World::ServerEnvironment::post(zab::Event event) {
  world->check_expiry(server, event);
  if (const auto* submit = std::get_if<zab::Submit>(&event)) {
    world->programs_.check(server, *submit);
    const auto txn = session::decode_transaction(*submit->payload);
    world->check_time(*txn);
    world->check_countdowns(server, *txn);
  }
  world->cluster_->post(server, std::move(event));
}

void World::ServerEnvironment::send(zab::ServerId to, const server::PeerMessage& message) {
  const std::size_t other = to.value - 1;
  const auto* reading = std::get_if<server::ClockReading>(&message);
  if (reading == nullptr) return world->cluster_->send(server, other, message);
  // Readings are so many that they do not use the simulated network.
  const auto& pipeline = world->servers_[other].pipeline;
  if (pipeline && world->cluster_->is_linked(server, other)) {
    pipeline->on(zab::ServerId{static_cast<std::uint32_t>(server) + 1}, *reading);
  }
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
