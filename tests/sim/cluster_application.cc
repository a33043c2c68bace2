#include <utility>

#include "tests/sim/cluster.h"
#include "tests/sim/event_text.h"

// What a cluster offers to its application.
namespace sim {

void Cluster::post(std::size_t server, zab::Event event) {
  servers_[server].posted.push_back(std::move(event));
  queue_.schedule(queue_.now(), {.kind = Kind::posted,
                                 .server = index32(servers_[server]),
                                 .generation = servers_[server].incarnation});
}

void Cluster::send(std::size_t from, std::size_t to, const server::PeerMessage& message) {
  const Generation link = network_.link(from, to);
  if (link != 0) network_.send(from, to, link, message);
}

bool Cluster::is_linked(std::size_t self, std::size_t other) const {
  return self != other && network_.link(self, other) != 0;
}

void Cluster::cut_link(std::size_t a, std::size_t b) { network_.cut(a, b); }

void Cluster::restart(std::size_t server) { crash(servers_[server]); }

void Cluster::schedule(Time time, Generation number) {
  queue_.schedule(time, {.kind = Kind::application_event, .generation = number});
}

void Cluster::schedule_at(std::size_t server, Time time, Generation number) {
  queue_.schedule(time, {.kind = Kind::application_event_at_server,
                         .server = index32(servers_[server]),
                         .generation = number});
}

void Cluster::trace(const std::string& line) const {
  trace_(time_text(queue_.now()) + "  " + line);
}

void Cluster::mix(std::uint64_t value) {
  event_hash_ = (event_hash_ ^ value) * 0x9e3779b97f4a7c15;
  event_hash_ ^= event_hash_ >> 32;
}

}  // namespace sim
