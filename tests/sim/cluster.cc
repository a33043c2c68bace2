#include "tests/sim/cluster.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <utility>

#include "zab/print.h"

namespace sim {
namespace {

constexpr std::uint64_t slow_factor_max = 30;
constexpr std::size_t backlog_max = 20;

std::string at(Time time) {
  char text[32];
  std::snprintf(text, sizeof(text), "%4llu.%03llu", static_cast<unsigned long long>(time / tick),
                static_cast<unsigned long long>(time % tick));
  return text;
}

std::string in_words(const zab::Event& event) {
  struct Words {
    std::string operator()(const zab::Tick&) const { return "tick"; }
    std::string operator()(const zab::LinkUp& e) const {
      return "link up to " + to_string(e.server);
    }
    std::string operator()(const zab::LinkDown& e) const {
      return "link down to " + to_string(e.server);
    }
    std::string operator()(const zab::Received& e) const {
      return "<- " + to_string(e.from) + "  " + to_string(e.message);
    }
    std::string operator()(const zab::Submit& e) const { return "submit " + *e.payload; }
    std::string operator()(const zab::ConfirmLeadership& e) const {
      return "confirm leadership, token " + std::to_string(e.token);
    }
  };
  return std::visit(Words{}, event);
}

}  // namespace

Totals& Totals::operator+=(const Totals& other) {
  steps += other.steps;
  elections += other.elections;
  crashes += other.crashes;
  commits += other.commits;
  time += other.time;
  healing = std::max(healing, other.healing);
  return *this;
}

Cluster::Cluster(std::uint64_t seed, const Options& options, Trace trace)
    : options_(options),
      random_(seed ^ 0x5eed),
      trace_(std::move(trace)),
      images_(options.ensemble.members().size()),
      checkers_(options_.ensemble, images_),
      servers_(images_.size()),
      connections_(images_.size() * images_.size()) {
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    Server& server = servers_[i];
    server.id = options_.ensemble.members()[i].id;
    server.up.resize(servers_.size());
    server.tick_interval = random_.between(tick - tick / 50, tick + tick / 50);
    server.disk = std::make_unique<Disk>(server.id, random_);
  }
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    schedule(random_.below(2 * tick),
             {.kind = Kind::restart, .server = static_cast<std::uint32_t>(i)});
  }
  schedule_fault(Kind::submit, options_.submit);
  schedule_fault(Kind::confirm_leadership, options_.confirm_leadership);
  schedule_fault(Kind::crash, options_.crash);
  schedule_fault(Kind::crash_in_step, options_.crash_in_step);
  schedule_fault(Kind::crash_all, options_.crash_all);
  schedule_fault(Kind::pause, options_.pause);
  schedule_fault(Kind::partition, options_.partition);
  schedule_fault(Kind::cut, options_.cut);
  schedule_fault(Kind::slow_link, options_.slow_link);
  schedule_fault(Kind::slow_disk, options_.slow_disk);
}

void Cluster::run() {
  while (next(options_.duration)) {
  }
}

void Cluster::heal(std::uint64_t ticks) {
  now_ = std::max(now_, options_.duration);
  healing_ = true;
  healing_since_ = now_;
  say([] { return std::string("everything heals"); });
  options_.link_delay_max = std::min(options_.link_delay_max, tick);
  options_.disk_delay_max = std::min(options_.disk_delay_max, tick);
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    servers_[i].dies_in_step = false;
    servers_[i].disk_slow_until = 0;
    const auto index = static_cast<std::uint32_t>(i);
    if (!servers_[i].peer) schedule(now_, {.kind = Kind::restart, .server = index});
    if (servers_[i].paused) {
      schedule(now_, {.kind = Kind::resume, .server = index, .generation = servers_[i].life});
    }
    for (std::size_t j = 0; j < i; ++j) {
      Connection& link = connection(i, j);
      link.blocked_until = 0;
      for (Way& one : link.ways) {
        one.slowed_until = 0;
        // What crawls would take as long as it was going to.
        if (link.generation != 0 && !link.cut && one.last > now_ + 2 * tick) cut(i, j);
      }
      maybe_connect(i, j);
    }
  }
  schedule(now_ + tick, {.kind = Kind::look});
  const Time until = now_ + ticks * tick;
  while (next(until)) {
    if (!healing_) return;
  }
  std::string standings;
  for (const Server& server : servers_) {
    standings += "; " + to_string(server.id) + " " +
                 (server.peer ? to_string(server.peer->standing()) : std::string("down")) +
                 ", delivered " + std::to_string(checkers_.delivered(server.id));
  }
  throw Violation("liveness", "no progress within " + std::to_string(ticks) +
                                  " ticks after all faults" + standings);
}

Totals Cluster::totals() const {
  Totals totals = totals_;
  totals.elections = checkers_.epochs_established();
  totals.commits = checkers_.order().size();
  totals.time = now_;
  return totals;
}

void Cluster::schedule(Time time, Happening happening) {
  happening.time = time;
  happening.sequence = ++sequence_;
  queue_.push(happening);
}

void Cluster::schedule_fault(Kind kind, Every every) {
  if (every != 0) schedule(now_ + random_.between(1, 2 * every), {.kind = kind});
}

bool Cluster::next(Time until) {
  if (queue_.empty() || queue_.top().time > until) return false;
  const Happening happening = queue_.top();
  queue_.pop();
  now_ = happening.time;
  mix(happening.time * 32 + static_cast<std::uint64_t>(happening.kind));
  mix(happening.server * 16 + happening.other);
  handle(happening);
  return true;
}

void Cluster::handle(const Happening& happening) {
  switch (happening.kind) {
    case Kind::heartbeat:
    case Kind::deliver:
    case Kind::deliver_self:
    case Kind::up:
    case Kind::down:
    case Kind::written: {
      Server& server = servers_[happening.server];
      if (server.paused) {
        server.held.push_back(happening);
      } else {
        handle_local(happening);
      }
      return;
    }
    case Kind::connect: {
      Connection& link = connection(happening.server, happening.other);
      link.connecting = false;
      Server& a = servers_[happening.server];
      Server& b = servers_[happening.other];
      if (!a.peer || !b.peer || a.paused || b.paused || link.generation != 0) return;
      if (link.blocked_until > now_) return;
      link = Connection{};
      link.generation = ++generations_;
      for (const auto& [to, from] : {std::pair(happening.server, happening.other),
                                     std::pair(happening.other, happening.server)}) {
        Way& into = way(from, to);
        into.last = now_ + link_delay();
        schedule(into.last,
                 {.kind = Kind::up, .server = to, .other = from, .generation = link.generation});
      }
      return;
    }
    case Kind::restart: {
      Server& server = servers_[happening.server];
      if (!server.peer) start(server);
      return;
    }
    case Kind::resume: {
      Server& server = servers_[happening.server];
      if (!server.paused || server.life != happening.generation) return;
      say([&] { return to_string(server.id) + "  goes on"; });
      server.paused = false;
      std::deque<Happening> held = std::exchange(server.held, {});
      for (const Happening& one : held) handle_local(one);
      for (std::size_t i = 0; i < servers_.size(); ++i) {
        if (i != happening.server) maybe_connect(happening.server, i);
      }
      return;
    }
    case Kind::submit:
      if (healing_) return;
      submit_somewhere();
      schedule_fault(Kind::submit, options_.submit);
      return;
    case Kind::confirm_leadership: {
      if (healing_) return;
      Server& server = any_server();
      if (server.peer && !server.paused && server.peer->standing().serving &&
          server.peer->standing().stance == zab::Stance::leading) {
        checkers_.on_confirmation_asked(++tokens_);
        step(server, zab::ConfirmLeadership{tokens_});
      }
      schedule_fault(Kind::confirm_leadership, options_.confirm_leadership);
      return;
    }
    case Kind::look:
      if (healed()) {
        healing_ = false;
        totals_.healing = now_ - healing_since_;
      } else {
        schedule(now_ + tick, {.kind = Kind::look});
      }
      return;
    default:
      if (!healing_) handle_fault(happening.kind);
      return;
  }
}

// What happens at one server, which is not paused.
void Cluster::handle_local(const Happening& happening) {
  Server& server = servers_[happening.server];
  const std::size_t self = happening.server;
  const std::size_t other = happening.other;
  switch (happening.kind) {
    case Kind::heartbeat:
      if (server.life != happening.generation) return;
      schedule(now_ + server.tick_interval, happening);
      step(server, zab::Tick{});
      return;
    case Kind::deliver_self: {
      if (server.life != happening.generation) return;
      zab::Message message = std::move(server.to_self.front());
      server.to_self.pop_front();
      step(server, zab::Received{server.id, std::move(message)});
      return;
    }
    case Kind::deliver: {
      Connection& link = connection(self, other);
      if (link.generation != happening.generation) return;
      Way& into = way(other, self);
      zab::Message message = std::move(into.messages.front());
      into.messages.pop_front();
      if (link.cut && happening.time > into.deadline) return;
      if (server.up[other] != link.generation) return;
      step(server, zab::Received{servers_[other].id, std::move(message)});
      return;
    }
    case Kind::up: {
      const Connection& link = connection(self, other);
      if (link.generation != happening.generation || link.cut || !server.peer) return;
      server.up[other] = link.generation;
      step(server, zab::LinkUp{servers_[other].id});
      return;
    }
    case Kind::down: {
      Connection& link = connection(self, other);
      if (--link.ends_to_go == 0) {
        link.generation = 0;
        link.cut = false;
      }
      if (server.up[other] == happening.generation) {
        server.up[other] = 0;
        step(server, zab::LinkDown{servers_[other].id});
      }
      maybe_connect(self, other);
      return;
    }
    case Kind::written:
      if (server.life == happening.generation) written(server);
      return;
    default: return;
  }
}

void Cluster::handle_fault(Kind kind) {
  switch (kind) {
    case Kind::crash:
      crash(any_server());
      schedule_fault(kind, options_.crash);
      return;
    case Kind::crash_in_step:
      any_server().dies_in_step = true;
      schedule_fault(kind, options_.crash_in_step);
      return;
    case Kind::crash_all:
      for (Server& server : servers_) crash(server);
      schedule_fault(kind, options_.crash_all);
      return;
    case Kind::pause: {
      Server& server = any_server();
      if (server.peer && !server.paused) {
        say([&] { return to_string(server.id) + "  pauses"; });
        server.paused = true;
        schedule(now_ + some_outage(),
                 {.kind = Kind::resume, .server = server.id.value - 1, .generation = server.life});
      }
      schedule_fault(kind, options_.pause);
      return;
    }
    case Kind::partition: {
      const std::uint64_t side = random_.next();
      const Time until = now_ + some_outage();
      say([] { return std::string("a partition"); });
      for (std::size_t i = 0; i < servers_.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
          if (((side >> i) & 1) == ((side >> j) & 1)) continue;
          cut(i, j);
          connection(i, j).blocked_until = until;
          schedule(until, {.kind = Kind::connect,
                           .server = static_cast<std::uint32_t>(i),
                           .other = static_cast<std::uint32_t>(j)});
        }
      }
      schedule_fault(kind, options_.partition);
      return;
    }
    case Kind::cut:
    case Kind::slow_link: {
      const auto a = static_cast<std::size_t>(random_.below(servers_.size()));
      const auto b = static_cast<std::size_t>(random_.below(servers_.size()));
      if (a != b && kind == Kind::cut) cut(a, b);
      if (a != b && kind == Kind::slow_link) {
        Way& slow = way(a, b);
        slow.slowed_until = now_ + some_outage();
        slow.slowness = random_.between(1, slow_factor_max * tick);
        say([&] {
          return "link " + to_string(servers_[a].id) + " -> " + to_string(servers_[b].id) +
                 " is slow";
        });
      }
      schedule_fault(kind, kind == Kind::cut ? options_.cut : options_.slow_link);
      return;
    }
    case Kind::slow_disk: {
      Server& server = any_server();
      server.disk_slow_until = now_ + some_outage();
      say([&] { return to_string(server.id) + "  has a slow disk"; });
      schedule_fault(kind, options_.slow_disk);
      return;
    }
    default: return;
  }
}

void Cluster::step(Server& server, zab::Event event) {
  if (!server.peer) return;
  say([&] { return to_string(server.id) + "  " + in_words(event); });
  totals_.steps += 1;
  const bool submitted = std::holds_alternative<zab::Submit>(event);
  carry_out(server, server.peer->step(std::move(event)), submitted);
}

void Cluster::carry_out(Server& server, zab::Effects effects, bool submitted) {
  mix(effects.send.size() * 65536 + effects.persist.size() * 256 + effects.confirm.size());
  mix(server.peer->state().last_committed.bits() ^ (server.peer->state().round << 48));
  const bool dies = server.dies_in_step && !effects.empty() && random_.one_in(2);

  for (const zab::Txn& txn : effects.deliver) {
    say([&] { return to_string(server.id) + "    deliver " + wire::to_string(txn.zxid); });
    checkers_.on_delivered(server.id, txn);
  }
  if (effects.standing) {
    say([&] { return to_string(server.id) + "    is " + to_string(*effects.standing); });
    checkers_.on_standing(server.id, *effects.standing);
  }
  for (const std::string& note : effects.notes) {
    say([&] { return to_string(server.id) + "    note: " + note; });
    checkers_.on_note(server.id, note);
  }
  if (submitted) {
    for (const zab::Persist& persist : effects.persist) {
      if (const auto* append = std::get_if<zab::Append>(&persist)) {
        checkers_.on_broadcast(server.id, append->txn);
      }
    }
  }
  for (const zab::Confirmed& confirmed : effects.confirmed) checkers_.on_confirmed(confirmed);

  std::size_t leaving = effects.send.size();
  if (dies && random_.one_in(2)) leaving = static_cast<std::size_t>(random_.below(leaving + 1));
  for (std::size_t i = 0; i < leaving; ++i) {
    const zab::Envelope& envelope = effects.send[i];
    leave(server, envelope, envelope.to == server.id ? 0 : server.up[envelope.to.value - 1]);
  }
  const bool sent_all = leaving == effects.send.size();
  effects.send.clear();
  if (sent_all) wait_for_disk(server, std::move(effects));
  if (dies) crash(server);
}

void Cluster::wait_for_disk(Server& server, zab::Effects effects) {
  if (effects.persist.empty() && effects.confirm.empty()) return;
  std::vector<Generation> links;
  for (const zab::Envelope& envelope : effects.confirm) {
    links.push_back(envelope.to == server.id ? 0 : server.up[envelope.to.value - 1]);
  }
  // The first batch is being written already. Group commit adds what comes meanwhile up.
  if (options_.group_commit && server.batches.size() > 1) {
    Batch& batch = server.batches.back();
    const std::size_t before = batch.effects.confirm.size();
    const std::size_t added = effects.confirm.size();
    batch.effects += std::move(effects);
    const std::size_t superseded = before + added - batch.effects.confirm.size();
    batch.links.resize(before - superseded);
    batch.links.insert(batch.links.end(), links.begin(), links.end());
    return;
  }
  server.batches.push_back({std::move(effects), std::move(links)});
  if (server.batches.size() == 1) write_next(server);
}

void Cluster::write_next(Server& server) {
  if (server.batches.front().effects.persist.empty()) return written(server);
  Time delay = random_.between(1, options_.disk_delay_max);
  if (server.disk_slow_until > now_) delay += random_.between(tick, 10 * tick);
  schedule(now_ + delay,
           {.kind = Kind::written, .server = server.id.value - 1, .generation = server.life});
}

void Cluster::written(Server& server) {
  Batch batch = std::move(server.batches.front());
  server.batches.pop_front();
  server.disk->write(batch.effects.persist);
  for (const zab::Persist& persist : batch.effects.persist) record(server, persist);
  for (std::size_t i = 0; i < batch.effects.confirm.size(); ++i) {
    leave(server, batch.effects.confirm[i], batch.links[i]);
  }
  if (!server.batches.empty()) write_next(server);
}

void Cluster::record(Server& server, const zab::Persist& persist) {
  say([&] { return to_string(server.id) + "    durable: " + to_string(persist); });
  const Checkers::Before before = checkers_.before_write(server.id);
  apply(persist, images_[server.id.value - 1]);
  checkers_.on_written(server.id, persist, before);
}

// Over the link that was up at the time of the step, if it still is.
void Cluster::leave(Server& server, const zab::Envelope& envelope, Generation generation) {
  const std::size_t self = server.id.value - 1;
  if (envelope.to == server.id) {
    checkers_.on_leaving(server.id, envelope);
    server.to_self.push_back(envelope.message);
    server.last_to_self = std::max(
        server.last_to_self,
        now_ + (options_.self_delay_max == 0 ? 0 : random_.between(0, options_.self_delay_max)));
    schedule(
        server.last_to_self,
        {.kind = Kind::deliver_self, .server = server.id.value - 1, .generation = server.life});
    return;
  }
  const std::size_t to = envelope.to.value - 1;
  if (generation == 0 || server.up[to] != generation) return;
  checkers_.on_leaving(server.id, envelope);
  const Connection& link = connection(self, to);
  if (link.cut) return;
  Way& out = way(self, to);
  Time delay = link_delay();
  if (out.slowed_until > now_) delay += random_.between(1, out.slowness);
  out.last = std::max(out.last, now_ + delay);
  out.messages.push_back(envelope.message);
  schedule(out.last, {.kind = Kind::deliver,
                      .server = static_cast<std::uint32_t>(to),
                      .other = static_cast<std::uint32_t>(self),
                      .generation = generation});
}

void Cluster::start(Server& server) {
  say([&] { return to_string(server.id) + "  starts"; });
  server.life = ++generations_;
  server.peer.emplace(server.id, options_.ensemble, options_.limits, server.disk->recovered());
  checkers_.on_restart(server.id);
  carry_out(server, server.peer->start(), false);
  if (!server.peer) return;
  schedule(now_ + random_.between(1, server.tick_interval),
           {.kind = Kind::heartbeat, .server = server.id.value - 1, .generation = server.life});
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (servers_[i].id != server.id) maybe_connect(server.id.value - 1, i);
  }
}

void Cluster::crash(Server& server) {
  if (!server.peer) return;
  say([&] { return to_string(server.id) + "  crashes"; });
  totals_.crashes += 1;
  server.peer.reset();
  server.life = ++generations_;
  server.dies_in_step = false;
  server.to_self.clear();
  server.last_to_self = 0;
  std::fill(server.up.begin(), server.up.end(), 0);
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (servers_[i].id != server.id) cut(server.id.value - 1, i);
  }
  const Batch unfinished = server.batches.empty() ? Batch{} : std::move(server.batches.front());
  server.batches.clear();
  server.disk->crash_during(unfinished.effects.persist);
  const storage::Tip found = storage::tip_of(server.disk->recovered());
  if (found != storage::tip_of(images_[server.id.value - 1])) {
    for (const zab::Persist& persist : unfinished.effects.persist) record(server, persist);
  }
  if (found != storage::tip_of(images_[server.id.value - 1])) {
    throw Violation(
        "recovery",
        "server " + to_string(server.id) +
            " finds neither what was durable nor that and all of what was being written");
  }
  // What was held back is about links and lives that are gone; but it must still be accounted for.
  server.paused = false;
  for (const Happening& one : std::exchange(server.held, {})) handle_local(one);
  schedule(now_ + some_outage(), {.kind = Kind::restart, .server = server.id.value - 1});
}

// A link goes down: some of what is under way still arrives, and each end learns in its own time.
void Cluster::cut(std::size_t a, std::size_t b) {
  Connection& link = connection(a, b);
  if (link.generation == 0 || link.cut) return;
  link.cut = true;
  link.ends_to_go = 2;
  for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
    Way& into = way(from, to);
    into.deadline = now_ + (random_.one_in(2) ? 0 : random_.below(2 * tick));
    const Time learned = into.deadline + (random_.one_in(2) ? 0 : random_.below(4 * tick));
    schedule(learned, {.kind = Kind::down,
                       .server = static_cast<std::uint32_t>(to),
                       .other = static_cast<std::uint32_t>(from),
                       .generation = link.generation});
  }
}

void Cluster::maybe_connect(std::size_t a, std::size_t b) {
  Connection& link = connection(a, b);
  if (link.connecting || link.generation != 0 || !servers_[a].peer || !servers_[b].peer) return;
  link.connecting = true;
  schedule(std::max(link.blocked_until, now_) + link_delay(),
           {.kind = Kind::connect,
            .server = static_cast<std::uint32_t>(a),
            .other = static_cast<std::uint32_t>(b)});
}

Cluster::Connection& Cluster::connection(std::size_t a, std::size_t b) {
  return connections_[std::min(a, b) * servers_.size() + std::max(a, b)];
}

Cluster::Way& Cluster::way(std::size_t from, std::size_t to) {
  return connection(from, to).ways[to > from ? 1 : 0];
}

Cluster::Server& Cluster::any_server() {
  return servers_[static_cast<std::size_t>(random_.below(servers_.size()))];
}

void Cluster::submit_somewhere() {
  // Clients wait for replies: they do not bury a slow disk.
  for (const Server& server : servers_) {
    if (server.batches.size() > backlog_max) return;
  }
  const std::size_t first = static_cast<std::size_t>(random_.below(servers_.size()));
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    Server& server = servers_[(first + i) % servers_.size()];
    if (!server.peer || server.paused) continue;
    const zab::Standing standing = server.peer->standing();
    if (!standing.serving || standing.stance != zab::Stance::leading) continue;
    const std::uint64_t count = random_.between(1, options_.burst_max);
    for (std::uint64_t k = 0; k < count && server.peer; ++k) submit(server);
    return;
  }
}

void Cluster::submit(Server& leader) {
  step(leader, zab::Submit{std::make_shared<const wire::Bytes>("#" + std::to_string(++payloads_))});
}

// Everybody serves in one epoch, has delivered a transaction of it and everything before, and has
// it all on disk.
bool Cluster::healed() {
  Server* leader = nullptr;
  for (Server& server : servers_) {
    if (!server.peer || !server.peer->standing().serving) return false;
    if (server.peer->standing().stance == zab::Stance::leading) leader = &server;
  }
  if (leader == nullptr) return false;
  const zab::Epoch epoch = leader->peer->standing().epoch;
  for (const Server& server : servers_) {
    if (server.peer->standing().epoch != epoch) return false;
  }
  if (marked_ != epoch) {
    marked_ = epoch;
    submit(*leader);
    return false;
  }
  if (checkers_.order().empty() || checkers_.order().back().zxid.epoch != epoch) return false;
  const zab::Point last = checkers_.order().back().point();
  for (const Server& server : servers_) {
    if (checkers_.delivered(server.id) != checkers_.order().size()) return false;
    if (!server.batches.empty()) return false;
    if (server.peer->state().durable.history.last() != last) return false;
    if (images_[server.id.value - 1].history.last() != last) return false;
  }
  return true;
}

void Cluster::trace(const std::string& words) const { trace_(at(now_) + "  " + words); }

void Cluster::mix(std::uint64_t value) {
  event_hash_ = (event_hash_ ^ value) * 0x9e3779b97f4a7c15;
  event_hash_ ^= event_hash_ >> 32;
}

}  // namespace sim
