#include <algorithm>
#include <utility>

#include "tests/sim/cluster.h"
#include "zab/print.h"

// Starts and crashes of servers, and the recovery of their disks.
namespace sim {

void Cluster::start(Server& server) {
  if (!healing_ && queue_.now() < server.down_until) {
    queue_.schedule(server.down_until, {.kind = Kind::restart, .server = index32(server)});
    return;
  }
  if (!recover(server)) {
    totals_.count(Rare::start_refused);
    queue_.schedule(queue_.now() + random_.between(1, 4 * tick),
                    {.kind = Kind::restart, .server = index32(server)});
    return;
  }
  const zab::Durable& recovered = server.disk->recovered();
  trace([&] {
    return to_string(server.id) + "  starts" +
           (recovered.damaged                    ? ", damaged"
            : recovered.current_epoch.value == 0 ? ", blank"
                                                 : "");
  });
  server.incarnation = queue_.new_generation();
  server.state = server.disk->checkpoint();
  server.peer.emplace(server.id, options_.ensemble, options_.limits, recovered,
                      zab::ClusterId{random_.next() | 1, server.id.value});
  checkers_.on_restart(server.id, server.state);
  if (application_ != nullptr) application_->start(index(server), server.state);
  elections_.on_restart(server.id);
  if (options_.slow_disk != 0 && !healing_ && random_.one_in(4)) {
    server.disk_slow_until = queue_.now() + some_outage();
  }
  network_.listen(index(server), true);
  carry_out(server, server.peer->start(), Cause::event);
  if (!server.peer) return;
  queue_.schedule(
      queue_.now() + random_.between(1, server.tick_interval),
      {.kind = Kind::heartbeat, .server = index32(server), .generation = server.incarnation});
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (i != index(server)) network_.maybe_connect(index(server), i);
  }
}

void Cluster::crash(Server& server) {
  if (!server.peer) return;
  trace([&] { return to_string(server.id) + "  crashes"; });
  totals_.crashes += 1;
  server.peer.reset();
  server.incarnation = queue_.new_generation();
  server.posted.clear();
  server.image_in_progress.reset();
  if (application_ != nullptr) application_->crash(index(server));
  server.crashes_in_step = false;
  server.to_self.clear();
  server.last_to_self = 0;
  server.reads.clear();
  server.last_read = 0;
  server.incoming.clear();
  network_.disconnect_all(index(server));
  if (!server.batches.empty()) {
    server.unfinished = std::move(server.batches.front().effects.persist);
  }
  server.batches.clear();
  server.disk->crash_during(server.unfinished);
  static_cast<void>(recover(server));
  // The events held back belong to links and an incarnation that no longer exist, but the network
  // must still account for them.
  server.paused = false;
  for (const ScheduledEvent& one : std::exchange(server.held, {})) handle_local(one);
  queue_.schedule(queue_.now() + some_outage(), {.kind = Kind::restart, .server = index32(server)});
}

// Opens the disk of a server that is down. Returns false if the disk is full.
bool Cluster::recover(Server& server) {
  if (server.disk->is_open()) return true;
  if (server.disk->open() == Disk::Done::failed) return false;
  const zab::Durable& found = server.disk->recovered();
  std::vector<zab::Persist> unfinished = std::exchange(server.unfinished, {});
  const auto is_like = [&](const zab::Durable& held) {
    return found.accepted_epoch == held.accepted_epoch &&
           found.current_epoch == held.current_epoch && found.founded == held.founded &&
           found.damaged == held.damaged && found.history.last() == held.history.last();
  };
  if (!unfinished.empty() && !is_like(durable(server))) {
    zab::Durable written = durable(server);
    for (const zab::Persist& persist : unfinished) zab::store(persist, written);
    // If the log is damaged too, the write may have reached it and be lost again. Then only a later
    // epoch or a damage claim beyond the former state shows the write.
    const zab::Durable& held = durable(server);
    const bool has_traces =
        found.damaged &&
        (found.accepted_epoch > held.accepted_epoch || found.current_epoch > held.current_epoch ||
         *found.damaged > std::max(held.damaged.value_or(zab::Claim{}),
                                   zab::Claim{held.current_epoch, held.history.last().zxid}));
    if (has_traces || is_like(written)) {
      for (const zab::Persist& persist : unfinished) record(server, persist);
    }
  }
  checkers_.on_recovered(server.id, found, durable(server),
                         server.rotten ? Checkers::Medium::rotten : Checkers::Medium::healthy);
  if (found.disk_state() != zab::DiskState::sound || durable(server).damaged) {
    become_damaged(server, found);
  } else if (server.suspect) {
    totals_.count(Rare::damage_harmless);
  }
  server.suspect = false;
  return true;
}

// Replaces the durable state of a server by the part that is left.
void Cluster::become_damaged(Server& server, const zab::Durable& found) {
  zab::Durable& held = durable(server);
  const zab::Point last = found.history.last();
  if (server.suspect || (found.damaged && !held.damaged)) {
    trace([&] {
      return to_string(server.id) + "  has lost a part of its log, and has it up to " +
             wire::to_string(last.zxid);
    });
    totals_.count(Rare::damage_found);
    checkers_.on_disk_lost(server.id, held);
  }
  // The part that is left may be older than a truncation.
  if (held.history.contains(last)) {
    zab::History history = std::move(held.history);
    history.truncate_after(last.zxid);
    held = found;
    held.history = std::move(history);
  } else {
    held = found;
  }
}

}  // namespace sim
