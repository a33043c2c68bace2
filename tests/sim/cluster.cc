#include "tests/sim/cluster.h"

#include <algorithm>
#include <utility>

#include "zab/print.h"

namespace sim {
namespace {

constexpr std::size_t backlog_max = 20;
constexpr Time progress_within = 60 * tick;

}  // namespace

Cluster::Cluster(std::uint64_t seed, const Options& options, Trace trace, Application* application)
    : options_(options),
      random_(seed ^ 0x5eed),
      trace_(std::move(trace)),
      application_(application),
      durables_(options.ensemble.members().size()),
      checkers_(options_.ensemble, durables_, totals_),
      elections_(options_.ensemble),
      network_(durables_.size(), options_, random_, queue_, totals_),
      servers_(durables_.size()) {
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    Server& server = servers_[i];
    server.id = options_.ensemble.members()[i].id;
    server.sending.resize(servers_.size());
    server.tick_interval = random_.between(tick - tick / 50, tick + tick / 50);
    server.disk = std::make_unique<Disk>(server.id, random_, totals_);
    queue_.schedule(random_.below(2 * tick),
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
    queue_.schedule(20 * tick, {.kind = Kind::check_progress});
  }
}

void Cluster::run() {
  while (next(options_.duration)) {
  }
}

void Cluster::heal(std::uint64_t ticks) {
  queue_.advance_to(options_.duration);
  const Time now = queue_.now();
  healing_ = true;
  healing_since_ = now;
  trace([] { return std::string("all faults end"); });
  options_.link_delay_max = std::min(options_.link_delay_max, tick);
  options_.disk_delay_max = std::min(options_.disk_delay_max, tick);
  options_.duplicate = options_.early_reconnect = false;
  for (Server& server : servers_) {
    const bool stuck = server.disk_stuck_until > now;
    server.crashes_in_step = false;
    server.disk_slow_until = server.disk_stuck_until = 0;
    server.disk->set_full(false);
    server.disk->fail_no_more();
    if (server.foreign) wipe(server);
    // Writes to a stuck disk were already scheduled for a late time.
    if (stuck && !server.batches.empty()) crash(server);
    if (!server.peer) {
      queue_.schedule(now, {.kind = Kind::restart, .server = index32(server)});
    }
    if (server.paused) {
      queue_.schedule(
          now, {.kind = Kind::resume, .server = index32(server), .generation = server.incarnation});
    }
  }
  network_.heal();
  if (application_ != nullptr) application_->heal();
  queue_.schedule(now + tick, {.kind = Kind::check_healed});
  const Time until = now + ticks * tick;
  while (next(until)) {
    if (!healing_) return;
  }
  std::string statuses;
  for (const Server& server : servers_) {
    statuses += "; " + to_string(server.id) + " " +
                (server.peer ? to_string(server.peer->role_status()) : std::string("down")) +
                ", delivered " + std::to_string(checkers_.delivered(server.id));
  }
  throw Violation("liveness", "no progress within " + std::to_string(ticks) +
                                  " ticks after all faults" + statuses);
}

Totals Cluster::totals() const {
  Totals totals = totals_;
  totals.elections = checkers_.epochs_established();
  totals.commits = checkers_.order().size();
  totals.time = queue_.now();
  return totals;
}

void Cluster::schedule_fault(Kind kind, Every every) {
  if (every != 0) {
    queue_.schedule(queue_.now() + random_.between(1, 2 * every), {.kind = kind});
  }
}

bool Cluster::next(Time until) {
  const auto scheduled = queue_.next(until);
  if (!scheduled) return false;
  mix(scheduled->time * 64 + static_cast<std::uint64_t>(scheduled->kind));
  mix(scheduled->server * 16 + scheduled->other);
  handle(*scheduled);
  return true;
}

void Cluster::handle(const ScheduledEvent& scheduled) {
  Server& server = servers_[scheduled.server];
  switch (scheduled.kind) {
    case Kind::heartbeat:
    case Kind::deliver:
    case Kind::deliver_self:
    case Kind::up:
    case Kind::down:
    case Kind::read:
    case Kind::written:
    case Kind::posted:
    case Kind::application_event_at_server:
      if (server.paused) {
        server.held.push_back(scheduled);
      } else {
        handle_local(scheduled);
      }
      return;
    case Kind::connect:
      network_.connect(scheduled, [&] {
        return application_ == nullptr || application_->greet(scheduled.server, scheduled.other);
      });
      return;
    case Kind::application_event: application_->run_scheduled(scheduled.generation); return;
    case Kind::cut_stalled:
      network_.cut(scheduled.server, scheduled.other, scheduled.generation);
      return;
    case Kind::restart:
      if (!server.peer) start(server);
      return;
    case Kind::space_returns: server.disk->set_full(false); return;
    case Kind::resume: {
      if (!server.paused || server.incarnation != scheduled.generation) return;
      trace([&] { return to_string(server.id) + "  continues"; });
      server.paused = false;
      network_.listen(scheduled.server, true);
      // Requests of its users may come before the events that it has missed.
      if (options_.confirm_leadership != 0 && !healing_) request_confirmation(server);
      std::deque<ScheduledEvent> held = std::exchange(server.held, {});
      for (const ScheduledEvent& one : held) handle_local(one);
      for (std::size_t i = 0; i < servers_.size(); ++i) {
        if (i != scheduled.server) network_.maybe_connect(scheduled.server, i);
      }
      return;
    }
    case Kind::check_healed:
      if (healed()) {
        healing_ = false;
        totals_.healing = queue_.now() - healing_since_;
      } else {
        queue_.schedule(queue_.now() + tick, {.kind = Kind::check_healed});
      }
      return;
    case Kind::check_progress:
      if (healing_) return;
      if (queue_.now() == 20 * tick) {
        begin_minority();
      } else if (checkers_.order().size() == progress_) {
        throw Violation("minority_tolerance", "one voter has a fault, and nothing is committed");
      }
      progress_ = checkers_.order().size();
      queue_.schedule(queue_.now() + progress_within, {.kind = Kind::check_progress});
      return;
    case Kind::submit:
    case Kind::confirm_leadership:
    case Kind::hand_over:
    case Kind::checkpoint:
      if (!healing_) run_user_action(scheduled.kind);
      return;
    default:
      if (!healing_) handle_fault(scheduled.kind);
      return;
  }
}

// Handles an event at a server that is not paused.
void Cluster::handle_local(const ScheduledEvent& scheduled) {
  Server& server = servers_[scheduled.server];
  const zab::ServerId other = servers_[scheduled.other].id;
  const auto pass = [&](Network::LinkChange change) {
    if (change.down) step(server, zab::LinkDown{other});
    if (change.up) step(server, zab::LinkUp{other});
  };
  switch (scheduled.kind) {
    case Kind::heartbeat:
      if (server.incarnation != scheduled.generation) return;
      queue_.schedule(queue_.now() + server.tick_interval, scheduled);
      if (application_ != nullptr) {
        application_->heartbeat(index(server));
        continue_image(server);
      }
      step(server, zab::Tick{});
      return;
    case Kind::posted: {
      if (server.incarnation != scheduled.generation) return;
      zab::Event event = std::move(server.posted.front());
      server.posted.pop_front();
      const bool submits = std::holds_alternative<zab::Submit>(event);
      step(server, std::move(event), submits ? Cause::submit : Cause::event);
      return;
    }
    case Kind::application_event_at_server:
      application_->run_scheduled(scheduled.generation);
      return;
    case Kind::deliver_self: {
      if (server.incarnation != scheduled.generation) return;
      zab::Message message = std::move(server.to_self.front());
      server.to_self.pop_front();
      step(server, zab::Received{server.id, std::move(message)});
      return;
    }
    case Kind::deliver:
      if (auto message = network_.receive(scheduled)) {
        if (auto* protocol = std::get_if<zab::Message>(&*message)) {
          step(server, zab::Received{other, std::move(*protocol)});
        } else if (server.peer) {
          application_->received(scheduled.server, other, *message);
        }
      }
      return;
    case Kind::up:
      if (server.peer) pass(network_.handle_up(scheduled));
      return;
    case Kind::down: pass(network_.handle_down(scheduled)); return;
    case Kind::written:
      if (server.incarnation == scheduled.generation) written(server);
      return;
    case Kind::read: {
      if (server.incarnation != scheduled.generation) return;
      const zab::Read read = server.reads.front();
      server.reads.pop_front();
      std::visit([&](const auto& one) { answer(server, one); }, read);
      return;
    }
    default: return;
  }
}

// Actions of a server's users and operators.
void Cluster::run_user_action(Kind kind) {
  Server& server = any_server();
  switch (kind) {
    case Kind::submit:
      submit_somewhere();
      schedule_fault(kind, options_.submit);
      return;
    case Kind::confirm_leadership:
      for (Server& one : servers_) request_confirmation(one);
      schedule_fault(kind, options_.confirm_leadership);
      return;
    case Kind::hand_over:
      for (Server& one : servers_) {
        if (one.peer && !one.paused && one.peer->role_status().role == zab::Role::leading) {
          // To any voter, or to a named server. That may be the leader itself, down, or an
          // observer.
          step(one, zab::HandOver{server.id.value % 2 == 0 ? server.id : zab::ServerId{}});
          break;
        }
      }
      schedule_fault(kind, options_.hand_over);
      return;
    default:
      if (server.peer && !server.paused) take_checkpoint(server, Application::Amount::part);
      schedule_fault(kind, options_.checkpoint);
      return;
  }
}

// Asks every server that believes that it leads. If there are several, only one can be confirmed.
void Cluster::request_confirmation(Server& server) {
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
  // Clients wait for replies, so they do not overload a slow disk.
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

// Whether all servers serve in one epoch, are sound, have delivered the same transactions with one
// of that epoch, and have them on disk.
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
  if (application_ != nullptr && !application_->is_finished()) return false;
  if (application_ == nullptr && marked_ != epoch) {
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
    const zab::Durable& disk = durable(server);
    if (disk.history.last() != last || !disk.founded) return false;
    if (disk.disk_state() != zab::DiskState::sound) return false;
  }
  return true;
}

}  // namespace sim
