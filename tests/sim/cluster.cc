#include "tests/sim/cluster.h"

#include <algorithm>
#include <utility>

#include "tests/sim/words.h"
#include "zab/print.h"

namespace sim {
namespace {

constexpr std::size_t backlog_max = 20;
constexpr Time progress_within = 60 * tick;

}  // namespace

Cluster::Cluster(std::uint64_t seed, const Options& options, Trace trace, Tenant* tenant)
    : options_(options),
      random_(seed ^ 0x5eed),
      trace_(std::move(trace)),
      tenant_(tenant),
      images_(options.ensemble.members().size()),
      checkers_(options_.ensemble, images_, totals_),
      elections_(options_.ensemble),
      network_(images_.size(), options_, random_, calendar_, totals_),
      servers_(images_.size()) {
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    Server& server = servers_[i];
    server.id = options_.ensemble.members()[i].id;
    server.sending.resize(servers_.size());
    server.tick_interval = random_.between(tick - tick / 50, tick + tick / 50);
    server.disk = std::make_unique<Disk>(server.id, random_, totals_);
    calendar_.schedule(random_.below(2 * tick),
                       {.kind = Kind::restart, .server = static_cast<std::uint32_t>(i)});
  }
  schedule_fault(Kind::submit, options_.submit);
  schedule_fault(Kind::confirm_leadership, options_.confirm_leadership);
  schedule_fault(Kind::hand_over, options_.hand_over);
  schedule_fault(Kind::checkpoint, options_.checkpoint);
  schedule_fault(Kind::crash, options_.crash);
  schedule_fault(Kind::crash_in_step, options_.crash_in_step);
  schedule_fault(Kind::crash_all, options_.crash_all);
  schedule_fault(Kind::pause, options_.pause);
  schedule_fault(Kind::partition, options_.partition);
  schedule_fault(Kind::cut, options_.cut);
  schedule_fault(Kind::slow_link, options_.slow_link);
  schedule_fault(Kind::stall_link, options_.stall_link);
  schedule_fault(Kind::slow_disk, options_.slow_disk);
  schedule_fault(Kind::stuck_disk, options_.stuck_disk);
  schedule_fault(Kind::failing_sync, options_.failing_sync);
  schedule_fault(Kind::full_disk, options_.full_disk);
  schedule_fault(Kind::rot, options_.rot);
  schedule_fault(Kind::wipe, options_.wipe);
  schedule_fault(Kind::lose_quorum, options_.lose_quorum);
  schedule_fault(Kind::foreign_disk, options_.foreign_disk);
  schedule_fault(Kind::stray, options_.stray);
  if (options_.minority) {
    calendar_.schedule(20 * tick, {.kind = Kind::look_for_progress});
  }
}

void Cluster::run() {
  while (next(options_.duration)) {
  }
}

void Cluster::heal(std::uint64_t ticks) {
  calendar_.pass_until(options_.duration);
  const Time now = calendar_.now();
  healing_ = true;
  healing_since_ = now;
  say([] { return std::string("everything heals"); });
  options_.link_delay_max = std::min(options_.link_delay_max, tick);
  options_.disk_delay_max = std::min(options_.disk_delay_max, tick);
  options_.duplicate = options_.early_reconnect = false;
  for (Server& server : servers_) {
    const bool stuck = server.disk_stuck_until > now;
    server.dies_in_step = false;
    server.disk_slow_until = server.disk_stuck_until = 0;
    server.disk->set_full(false);
    server.disk->fail_no_more();
    if (server.foreign) wipe(server);
    // What waits for a stuck disk would wait as long as it was going to.
    if (stuck && !server.batches.empty()) crash(server);
    if (!server.peer) {
      calendar_.schedule(now, {.kind = Kind::restart, .server = index32(server)});
    }
    if (server.paused) {
      calendar_.schedule(
          now, {.kind = Kind::resume, .server = index32(server), .generation = server.life});
    }
  }
  network_.heal();
  if (tenant_ != nullptr) tenant_->heal();
  calendar_.schedule(now + tick, {.kind = Kind::look});
  const Time until = now + ticks * tick;
  while (next(until)) {
    if (!healing_) return;
  }
  std::string standings;
  for (const Server& server : servers_) {
    standings += "; " + to_string(server.id) + " " +
                 (server.peer ? to_string(server.peer->role_status()) : std::string("down")) +
                 ", delivered " + std::to_string(checkers_.delivered(server.id));
  }
  throw Violation("liveness", "no progress within " + std::to_string(ticks) +
                                  " ticks after all faults" + standings);
}

Totals Cluster::totals() const {
  Totals totals = totals_;
  totals.elections = checkers_.epochs_established();
  totals.commits = checkers_.order().size();
  totals.time = calendar_.now();
  return totals;
}

void Cluster::schedule_fault(Kind kind, Every every) {
  if (every != 0) {
    calendar_.schedule(calendar_.now() + random_.between(1, 2 * every), {.kind = kind});
  }
}

bool Cluster::next(Time until) {
  const auto happening = calendar_.next(until);
  if (!happening) return false;
  mix(happening->time * 64 + static_cast<std::uint64_t>(happening->kind));
  mix(happening->server * 16 + happening->other);
  handle(*happening);
  return true;
}

void Cluster::handle(const Happening& happening) {
  Server& server = servers_[happening.server];
  switch (happening.kind) {
    case Kind::heartbeat:
    case Kind::deliver:
    case Kind::deliver_self:
    case Kind::up:
    case Kind::down:
    case Kind::read:
    case Kind::written:
    case Kind::posted:
    case Kind::tenant_here:
      if (server.paused) {
        server.held.push_back(happening);
      } else {
        handle_local(happening);
      }
      return;
    case Kind::connect: network_.connect(happening); return;
    case Kind::tenant: tenant_->happen(happening.generation); return;
    case Kind::cut_stalled:
      network_.cut(happening.server, happening.other, happening.generation);
      return;
    case Kind::restart:
      if (!server.peer) start(server);
      return;
    case Kind::space_returns: server.disk->set_full(false); return;
    case Kind::resume: {
      if (!server.paused || server.life != happening.generation) return;
      say([&] { return to_string(server.id) + "  goes on"; });
      server.paused = false;
      network_.listen(happening.server, true);
      // What its users want may come before all that it has missed.
      if (options_.confirm_leadership != 0 && !healing_) ask_whether_it_leads(server);
      std::deque<Happening> held = std::exchange(server.held, {});
      for (const Happening& one : held) handle_local(one);
      for (std::size_t i = 0; i < servers_.size(); ++i) {
        if (i != happening.server) network_.maybe_connect(happening.server, i);
      }
      return;
    }
    case Kind::look:
      if (healed()) {
        healing_ = false;
        totals_.healing = calendar_.now() - healing_since_;
      } else {
        calendar_.schedule(calendar_.now() + tick, {.kind = Kind::look});
      }
      return;
    case Kind::look_for_progress:
      if (healing_) return;
      if (calendar_.now() == 20 * tick) {
        begin_minority();
      } else if (checkers_.order().size() == progress_) {
        throw Violation("minority_tolerance", "one voter suffers, and nothing is committed");
      }
      progress_ = checkers_.order().size();
      calendar_.schedule(calendar_.now() + progress_within, {.kind = Kind::look_for_progress});
      return;
    case Kind::submit:
    case Kind::confirm_leadership:
    case Kind::hand_over:
    case Kind::checkpoint:
      if (!healing_) use(happening.kind);
      return;
    default:
      if (!healing_) handle_fault(happening.kind);
      return;
  }
}

// What happens at one server, which is not paused.
void Cluster::handle_local(const Happening& happening) {
  Server& server = servers_[happening.server];
  const zab::ServerId other = servers_[happening.other].id;
  const auto tell = [&](Network::News news) {
    if (news.down) step(server, zab::LinkDown{other});
    if (news.up) step(server, zab::LinkUp{other});
  };
  switch (happening.kind) {
    case Kind::heartbeat:
      if (server.life != happening.generation) return;
      calendar_.schedule(calendar_.now() + server.tick_interval, happening);
      if (tenant_ != nullptr) {
        tenant_->heartbeat(index(server));
        go_on_with_image(server);
      }
      step(server, zab::Tick{});
      return;
    case Kind::posted: {
      if (server.life != happening.generation) return;
      zab::Event event = std::move(server.posted.front());
      server.posted.pop_front();
      const bool submits = std::holds_alternative<zab::Submit>(event);
      step(server, std::move(event), submits ? Cause::submit : Cause::event);
      return;
    }
    case Kind::tenant_here: tenant_->happen(happening.generation); return;
    case Kind::deliver_self: {
      if (server.life != happening.generation) return;
      zab::Message message = std::move(server.to_self.front());
      server.to_self.pop_front();
      step(server, zab::Received{server.id, std::move(message)});
      return;
    }
    case Kind::deliver:
      if (auto message = network_.arrive(happening)) {
        if (auto* protocol = std::get_if<zab::Message>(&*message)) {
          step(server, zab::Received{other, std::move(*protocol)});
        } else if (server.peer) {
          tenant_->received(happening.server, other, *message);
        }
      }
      return;
    case Kind::up:
      if (server.peer) tell(network_.come_up(happening));
      return;
    case Kind::down: tell(network_.go_down(happening)); return;
    case Kind::written:
      if (server.life == happening.generation) written(server);
      return;
    case Kind::read: {
      if (server.life != happening.generation) return;
      const zab::Read read = server.reads.front();
      server.reads.pop_front();
      std::visit([&](const auto& one) { answer(server, one); }, read);
      return;
    }
    default: return;
  }
}

// What the users of a server, and its operators, do.
void Cluster::use(Kind kind) {
  Server& server = any_server();
  switch (kind) {
    case Kind::submit:
      submit_somewhere();
      schedule_fault(kind, options_.submit);
      return;
    case Kind::confirm_leadership:
      for (Server& one : servers_) ask_whether_it_leads(one);
      schedule_fault(kind, options_.confirm_leadership);
      return;
    case Kind::hand_over:
      for (Server& one : servers_) {
        if (one.peer && !one.paused && one.peer->role_status().role == zab::Role::leading) {
          // To anybody, or to one that may be anything: the leader itself, down, an observer.
          step(one, zab::HandOver{server.id.value % 2 == 0 ? server.id : zab::ServerId{}});
          break;
        }
      }
      schedule_fault(kind, options_.hand_over);
      return;
    default:
      if (server.peer && !server.paused) take_checkpoint(server, Tenant::Amount::part);
      schedule_fault(kind, options_.checkpoint);
      return;
  }
}

// Whoever says so. Of several, all but one are wrong.
void Cluster::ask_whether_it_leads(Server& server) {
  if (!server.peer || server.paused) return;
  const zab::RoleStatus role_status = server.peer->role_status();
  if (!role_status.serving || role_status.role != zab::Role::leading) return;
  checkers_.on_confirmation_asked(++tokens_);
  step(server, zab::ConfirmLeadership{tokens_});
}

Cluster::Server& Cluster::any_server() {
  return servers_[static_cast<std::size_t>(random_.below(servers_.size()))];
}

void Cluster::submit_somewhere() {
  // Clients wait for replies: they do not bury a slow disk.
  for (const Server& server : servers_) {
    if (server.batches.size() > backlog_max && !options_.minority) return;
  }
  const std::size_t first = static_cast<std::size_t>(random_.below(servers_.size()));
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    Server& server = servers_[(first + i) % servers_.size()];
    if (!server.peer || server.paused) continue;
    const zab::RoleStatus role_status = server.peer->role_status();
    if (!role_status.serving || role_status.role != zab::Role::leading) continue;
    const std::uint64_t count = random_.between(1, options_.burst_max);
    for (std::uint64_t k = 0; k < count && server.peer; ++k) submit(server);
    return;
  }
}

void Cluster::submit(Server& leader) {
  wire::Bytes payload = "#" + std::to_string(++payloads_);
  if (options_.payload_max > 0) {
    payload.resize(payload.size() + random_.below(options_.payload_max), '.');
  }
  step(leader, zab::Submit{std::make_shared<const wire::Bytes>(std::move(payload))}, Cause::submit);
}

// Everybody serves in one epoch, is sound, has delivered a transaction of that epoch and everything
// before, and has it all on disk.
bool Cluster::healed() {
  Server* leader = nullptr;
  for (Server& server : servers_) {
    if (!server.peer || !server.peer->role_status().serving) return false;
    if (server.peer->role_status().role == zab::Role::leading) leader = &server;
  }
  if (leader == nullptr) return false;
  const zab::Epoch epoch = leader->peer->role_status().epoch;
  for (const Server& server : servers_) {
    if (server.peer->role_status().epoch != epoch) return false;
  }
  if (tenant_ != nullptr && !tenant_->settled()) return false;
  if (tenant_ == nullptr && marked_ != epoch) {
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
    const zab::Durable& disk = image(server);
    if (disk.history.last() != last || !disk.founded) return false;
    if (disk.condition() != zab::Condition::sound) return false;
  }
  return true;
}

// --- For the tenant ---

void Cluster::post(std::size_t server, zab::Event event) {
  servers_[server].posted.push_back(std::move(event));
  calendar_.schedule(calendar_.now(), {.kind = Kind::posted,
                                       .server = index32(servers_[server]),
                                       .generation = servers_[server].life});
}

void Cluster::send(std::size_t from, std::size_t to, const server::PeerMessage& message) {
  const Generation link = network_.link(from, to);
  if (link != 0) network_.send(from, to, link, message);
}

void Cluster::schedule(Time time, Generation number) {
  calendar_.schedule(time, {.kind = Kind::tenant, .generation = number});
}

void Cluster::schedule_at(std::size_t server, Time time, Generation number) {
  calendar_.schedule(
      time, {.kind = Kind::tenant_here, .server = index32(servers_[server]), .generation = number});
}

void Cluster::trace(const std::string& words) const { trace_(at(calendar_.now()) + "  " + words); }

void Cluster::mix(std::uint64_t value) {
  event_hash_ = (event_hash_ ^ value) * 0x9e3779b97f4a7c15;
  event_hash_ ^= event_hash_ >> 32;
}

}  // namespace sim
