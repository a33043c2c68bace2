#include "tests/sim/network.h"

#include <algorithm>

namespace sim {
namespace {

std::uint32_t narrow(std::size_t index) { return static_cast<std::uint32_t>(index); }

}  // namespace

Network::Network(std::size_t servers, const Options& options, Random& random, Calendar& calendar,
                 Totals& totals)
    : servers_(servers),
      options_(options),
      random_(random),
      calendar_(calendar),
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
  Way& out = connection->ways[side(from, to)];
  const Weather& weather = both.weather[side(from, to)];
  const Happening arrival{
      .kind = Kind::deliver, .server = narrow(to), .other = narrow(from), .generation = generation};
  const Time now = calendar_.now();
  Time slowness = delay();
  if (weather.slowed_until > now) slowness += random_.between(1, weather.slowness);
  out.last = std::max({out.last, now + slowness, weather.stalled_until});
  out.messages.push_back(message);
  calendar_.schedule(out.last, arrival);

  // Notifications are said to be like datagrams: some come twice.
  const auto* protocol = std::get_if<zab::Message>(&message);
  if (options_.duplicate && protocol != nullptr &&
      std::holds_alternative<zab::Notification>(*protocol) && random_.one_in(8)) {
    totals_.count(Rare::duplicate);
    out.messages.push_back(message);
    calendar_.schedule(out.last, arrival);
  }
}

std::optional<server::PeerMessage> Network::arrive(const Happening& happening) {
  Connection* connection = find(pair(happening.server, happening.other), happening.generation);
  const Generation current = link(happening.server, happening.other);
  if (connection == nullptr) return std::nullopt;
  Way& into = connection->ways[side(happening.other, happening.server)];
  server::PeerMessage message = std::move(into.messages.front());
  into.messages.pop_front();
  if (connection->cut && happening.time > into.deadline) return std::nullopt;
  if (current != happening.generation) {
    if (current > happening.generation) totals_.count(Rare::stale_message);
    return std::nullopt;
  }
  return message;
}

void Network::connect(const Happening& happening) {
  Pair& both = pair(happening.server, happening.other);
  both.connecting = false;
  if (!listens_[happening.server] || !listens_[happening.other]) return;
  if (both.now.generation != 0 || both.blocked_until > calendar_.now()) return;
  both.now = Connection{};
  both.now.generation = calendar_.new_generation();
  for (const auto& [to, from] : {std::pair(happening.server, happening.other),
                                 std::pair(happening.other, happening.server)}) {
    Way& into = both.now.ways[side(from, to)];
    into.last = calendar_.now() + delay();
    calendar_.schedule(
        into.last,
        {.kind = Kind::up, .server = to, .other = from, .generation = both.now.generation});
  }
}

Network::News Network::come_up(const Happening& happening) {
  const Connection* connection =
      find(pair(happening.server, happening.other), happening.generation);
  Generation& up = known(happening.server, happening.other);
  if (connection == nullptr || connection->cut || up > happening.generation) return {};
  const bool was_up = up != 0;
  up = happening.generation;
  return {was_up, true};
}

Network::News Network::go_down(const Happening& happening) {
  Pair& both = pair(happening.server, happening.other);
  if (Connection* connection = find(both, happening.generation);
      connection != nullptr && --connection->ends_to_go == 0) {
    if (connection == &both.now) {
      both.now = Connection{};
    } else {
      std::erase_if(both.earlier,
                    [&](const Connection& one) { return one.generation == happening.generation; });
    }
  }
  Generation& up = known(happening.server, happening.other);
  const bool was_up = up == happening.generation;
  if (was_up) up = 0;
  maybe_connect(happening.server, happening.other);
  return {was_up, false};
}

void Network::lose(std::size_t server) {
  listens_[server] = false;
  for (std::size_t other = 0; other < servers_; ++other) {
    if (other == server) continue;
    known(server, other) = 0;
    cut(server, other);
  }
}

// Some of what is under way still arrives, and each end learns in its own time.
void Network::cut(std::size_t a, std::size_t b) {
  Pair& both = pair(a, b);
  Connection& connection = both.now;
  if (connection.generation == 0 || connection.cut) return;
  connection.cut = true;
  connection.ends_to_go = 2;
  for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
    Way& into = connection.ways[side(from, to)];
    into.deadline = calendar_.now() + (random_.one_in(2) ? 0 : random_.below(2 * tick));
    const Time learned = into.deadline + (random_.one_in(2) ? 0 : random_.below(4 * tick));
    calendar_.schedule(learned, {.kind = Kind::down,
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
  calendar_.schedule(until, {.kind = Kind::connect, .server = narrow(a), .other = narrow(b)});
}

void Network::slow(std::size_t from, std::size_t to, Time until, Time slowness) {
  Weather& weather = pair(from, to).weather[side(from, to)];
  weather.slowed_until = until;
  weather.slowness = slowness;
}

void Network::stall(std::size_t from, std::size_t to, Time until) {
  Pair& both = pair(from, to);
  if (both.now.generation == 0) return;
  both.weather[side(from, to)].stalled_until = until;
  calendar_.schedule(until, {.kind = Kind::cut_stalled,
                             .server = narrow(from),
                             .other = narrow(to),
                             .generation = both.now.generation});
}

void Network::maybe_connect(std::size_t a, std::size_t b) {
  Pair& both = pair(a, b);
  if (both.connecting || both.now.generation != 0 || !listens_[a] || !listens_[b]) return;
  both.connecting = true;
  calendar_.schedule(std::max(both.blocked_until, calendar_.now()) + delay(),
                     {.kind = Kind::connect, .server = narrow(a), .other = narrow(b)});
}

void Network::heal() {
  const Time now = calendar_.now();
  for (std::size_t a = 0; a < servers_; ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      Pair& both = pair(a, b);
      both.blocked_until = 0;
      both.connecting = false;
      for (std::size_t i = 0; i < 2; ++i) {
        both.weather[i] = Weather{};
        // What crawls would take as long as it was going to.
        if (both.now.ways[i].last > now + 2 * tick) cut(a, b);
      }
      maybe_connect(a, b);
    }
  }
}

}  // namespace sim
