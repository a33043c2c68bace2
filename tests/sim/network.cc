#include "tests/sim/network.h"

#include <algorithm>

namespace sim {
namespace {

std::uint32_t narrow(std::size_t index) { return static_cast<std::uint32_t>(index); }

}  // namespace

Network::Network(std::size_t servers, const Options& options, Random& random, EventQueue& queue,
                 Totals& totals)
    : servers_(servers),
      options_(options),
      random_(random),
      queue_(queue),
      totals_(totals),
      pairs_(servers * servers),
      known_(servers * servers),
      listens_(servers) {}

Network::Connection* Network::find(Pair& pair, Generation generation) {
  if (generation == 0) return nullptr;
  if (pair.now.generation == generation) return &pair.now;
  const auto found = std::ranges::find(pair.earlier, generation, &Connection::generation);
  return found != pair.earlier.end() ? &*found : nullptr;
}

void Network::send(std::size_t from, std::size_t to, Generation generation,
                   const server::PeerMessage& message) {
  Pair& both = pair(from, to);
  Connection* connection = find(both, generation);
  if (connection == nullptr || connection->cut) return;
  Direction& out = connection->directions[side(from, to)];
  const Faults& faults = both.faults[side(from, to)];
  const ScheduledEvent arrival{
      .kind = Kind::deliver, .server = narrow(to), .other = narrow(from), .generation = generation};
  const Time now = queue_.now();
  Time slowness = delay();
  if (faults.slowed_until > now) slowness += random_.between(1, faults.slowness);
  out.last = std::max({out.last, now + slowness, faults.stalled_until});
  out.messages.push_back(message);
  queue_.schedule(out.last, arrival);

  // The protocol must tolerate notifications that come twice.
  const auto* protocol = std::get_if<zab::Message>(&message);
  if (options_.duplicate && protocol != nullptr &&
      std::holds_alternative<zab::Notification>(*protocol) && random_.one_in(8)) {
    totals_.count(Rare::duplicate);
    out.messages.push_back(message);
    queue_.schedule(out.last, arrival);
  }
}

std::optional<server::PeerMessage> Network::receive(const ScheduledEvent& scheduled) {
  Connection* connection = find(pair(scheduled.server, scheduled.other), scheduled.generation);
  const Generation current = link(scheduled.server, scheduled.other);
  if (connection == nullptr) return std::nullopt;
  Direction& into = connection->directions[side(scheduled.other, scheduled.server)];
  server::PeerMessage message = std::move(into.messages.front());
  into.messages.pop_front();
  if (connection->cut && scheduled.time > into.deadline) return std::nullopt;
  if (current != scheduled.generation) {
    if (current > scheduled.generation) totals_.count(Rare::stale_message);
    return std::nullopt;
  }
  return message;
}

void Network::connect(const ScheduledEvent& scheduled, const std::function<bool()>& greet) {
  Pair& both = pair(scheduled.server, scheduled.other);
  both.connecting = false;
  if (!listens_[scheduled.server] || !listens_[scheduled.other]) return;
  if (both.now.generation != 0 || both.blocked_until > queue_.now()) return;
  if (!greet()) {  // the server that dials tries again
    both.connecting = true;
    queue_.schedule(queue_.now() + tick + delay(), scheduled);
    return;
  }
  both.now = Connection{};
  both.now.generation = queue_.new_generation();
  for (const auto& [to, from] : {std::pair(scheduled.server, scheduled.other),
                                 std::pair(scheduled.other, scheduled.server)}) {
    Direction& into = both.now.directions[side(from, to)];
    into.last = queue_.now() + delay();
    queue_.schedule(
        into.last,
        {.kind = Kind::up, .server = to, .other = from, .generation = both.now.generation});
  }
}

Network::LinkChange Network::handle_up(const ScheduledEvent& scheduled) {
  const Connection* connection =
      find(pair(scheduled.server, scheduled.other), scheduled.generation);
  Generation& up = known(scheduled.server, scheduled.other);
  if (connection == nullptr || connection->cut || up > scheduled.generation) return {};
  const bool was_up = up != 0;
  up = scheduled.generation;
  return {was_up, true};
}

Network::LinkChange Network::handle_down(const ScheduledEvent& scheduled) {
  Pair& both = pair(scheduled.server, scheduled.other);
  if (Connection* connection = find(both, scheduled.generation);
      connection != nullptr && --connection->ends_not_informed == 0) {
    if (connection == &both.now) {
      both.now = Connection{};
    } else {
      std::erase_if(both.earlier,
                    [&](const Connection& one) { return one.generation == scheduled.generation; });
    }
  }
  Generation& up = known(scheduled.server, scheduled.other);
  const bool was_up = up == scheduled.generation;
  if (was_up) up = 0;
  maybe_connect(scheduled.server, scheduled.other);
  return {was_up, false};
}

void Network::disconnect_all(std::size_t server) {
  listens_[server] = false;
  for (std::size_t other = 0; other < servers_; ++other) {
    if (other == server) continue;
    known(server, other) = 0;
    cut(server, other);
  }
}

// Some messages in transit still arrive, and each end is informed at its own time.
void Network::cut(std::size_t a, std::size_t b) {
  Pair& both = pair(a, b);
  Connection& connection = both.now;
  if (connection.generation == 0 || connection.cut) return;
  connection.cut = true;
  connection.ends_not_informed = 2;
  for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
    Direction& into = connection.directions[side(from, to)];
    into.deadline = queue_.now() + (random_.one_in(2) ? 0 : random_.below(2 * tick));
    const Time learned = into.deadline + (random_.one_in(2) ? 0 : random_.below(4 * tick));
    queue_.schedule(learned, {.kind = Kind::down,
                              .server = narrow(to),
                              .other = narrow(from),
                              .generation = connection.generation});
  }
  if (options_.early_reconnect && random_.one_in(3)) {
    both.earlier.push_back(std::exchange(connection, Connection{}));
    maybe_connect(a, b);
  }
}

void Network::cut(std::size_t a, std::size_t b, Generation generation) {
  if (pair(a, b).now.generation == generation) cut(a, b);
}

void Network::block(std::size_t a, std::size_t b, Time until) {
  cut(a, b);
  pair(a, b).blocked_until = until;
  queue_.schedule(until, {.kind = Kind::connect, .server = narrow(a), .other = narrow(b)});
}

void Network::slow(std::size_t from, std::size_t to, Time until, Time slowness) {
  Faults& faults = pair(from, to).faults[side(from, to)];
  faults.slowed_until = until;
  faults.slowness = slowness;
}

void Network::stall(std::size_t from, std::size_t to, Time until) {
  Pair& both = pair(from, to);
  if (both.now.generation == 0) return;
  both.faults[side(from, to)].stalled_until = until;
  queue_.schedule(until, {.kind = Kind::cut_stalled,
                          .server = narrow(from),
                          .other = narrow(to),
                          .generation = both.now.generation});
}

void Network::maybe_connect(std::size_t a, std::size_t b) {
  Pair& both = pair(a, b);
  if (both.connecting || both.now.generation != 0 || !listens_[a] || !listens_[b]) return;
  both.connecting = true;
  queue_.schedule(std::max(both.blocked_until, queue_.now()) + delay(),
                  {.kind = Kind::connect, .server = narrow(a), .other = narrow(b)});
}

void Network::heal() {
  const Time now = queue_.now();
  for (std::size_t a = 0; a < servers_; ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      Pair& both = pair(a, b);
      both.blocked_until = 0;
      both.connecting = false;
      for (std::size_t i = 0; i < 2; ++i) {
        both.faults[i] = Faults{};
        // Slow messages were already scheduled for a late time.
        if (both.now.directions[i].last > now + 2 * tick) cut(a, b);
      }
      maybe_connect(a, b);
    }
  }
}

}  // namespace sim
