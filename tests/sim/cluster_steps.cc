#include <algorithm>
#include <utility>

#include "tests/sim/cluster.h"
#include "tests/sim/words.h"
#include "zab/print.h"

// What a server does: its peer's steps, and how their effects are carried out.
namespace sim {

void Cluster::step(Server& server, zab::Event event, Cause cause) {
  if (!server.peer) return;
  say([&] {
    return to_string(server.id) + (cause == Cause::stray ? "  stray " : "  ") + in_words(event);
  });
  totals_.steps += 1;
  elections_.on_event(server.id, event);
  carry_out(server, server.peer->step(std::move(event)), cause);
}

void Cluster::carry_out(Server& server, zab::Effects effects, Cause cause) {
  mix(effects.send.size() * 65536 + effects.persist.size() * 256 + effects.confirm.size());
  mix(server.peer->state().last_committed.bits() ^ (server.peer->state().round << 48));
  const bool dies = server.dies_in_step && !effects.empty() && random_.one_in(2);
  elections_.on_step(server.peer->state(), server.peer->role_status(), effects);

  const std::optional<Checkpoint> restored = apply(server, effects);
  if (effects.role_status) {
    say([&] { return to_string(server.id) + "    is " + to_string(*effects.role_status); });
    checkers_.on_standing(server.id, *effects.role_status);
  }
  for (const std::string& note : effects.notes) {
    say([&] { return to_string(server.id) + "    note: " + note; });
    if (cause == Cause::stray) {
      totals_.count(Rare::stray_refused);
    } else {
      checkers_.on_note(server.id, note);
    }
    if (note.find("counter is used up") != std::string::npos) totals_.count(Rare::rollover);
    if (note.find(" belongs to cluster ") != std::string::npos) totals_.count(Rare::foreign_told);
  }
  if (!effects.refused.empty()) totals_.count(Rare::refused_submit);
  if (cause == Cause::submit) {
    for (const zab::Persist& persist : effects.persist) {
      if (const auto* append = std::get_if<zab::Append>(&persist)) {
        checkers_.on_broadcast(server.id, append->txn);
      }
    }
  }
  if (tenant_ == nullptr) {
    for (const zab::Confirmed& confirmed : effects.confirmed) checkers_.on_confirmed(confirmed);
  }
  tell_tenant(server, effects, restored);

  std::size_t leaving = effects.send.size();
  if (dies && random_.one_in(2)) leaving = static_cast<std::size_t>(random_.below(leaving + 1));
  for (std::size_t i = 0; i < leaving; ++i) {
    const zab::Envelope& envelope = effects.send[i];
    leave(server, envelope,
          envelope.to == server.id ? 0 : network_.link(index(server), envelope.to.value - 1));
  }
  const bool sent_all = leaving == effects.send.size();
  effects.send.clear();
  if (sent_all) wait_for_disk(server, std::move(effects));
  // Or, if something is to be written, behind that.
  if (!sent_all || (dies && (server.batches.empty() || random_.one_in(2)))) crash(server);
  if (server.peer && server.batches.empty()) checkers_.on_quiet(server.peer->state());
}

// What becomes of the state that users see. Returns the snapshot that it is now, before what is
// delivered.
std::optional<Checkpoint> Cluster::apply(Server& server, const zab::Effects& effects) {
  std::optional<Checkpoint> restored;
  for (const zab::Persist& persist : effects.persist) {
    const auto* chunk = std::get_if<zab::StoreSnapshot>(&persist);
    if (chunk == nullptr) continue;
    if (chunk->first) server.incoming.clear();
    server.incoming += *chunk->bytes;
  }
  if (effects.restore) {
    restored = decode(std::exchange(server.incoming, {}));
    if (!restored || restored->at != *effects.restore) {
      throw Violation("state_is_f_of_history",
                      "server " + to_string(server.id) + " restores what it was not sent");
    }
    say([&] {
      return to_string(server.id) + "    restore " + wire::to_string(effects.restore->zxid);
    });
    server.state = *restored;
    checkers_.on_restored(server.id, server.state);
  }
  for (const zab::Txn& txn : effects.deliver) {
    say([&] { return to_string(server.id) + "    deliver " + wire::to_string(txn.zxid); });
    server.state = server.state.after(txn);
    checkers_.on_delivered(server.id, txn);
  }
  return restored;
}

void Cluster::tell_tenant(Server& server, const zab::Effects& effects,
                          const std::optional<Checkpoint>& restored) {
  if (tenant_ == nullptr) return;
  if (!effects.refused.empty()) throw Violation("plans", "the protocol refuses what was planned");
  if (restored) {
    server.imaged.reset();
    tenant_->restore(index(server), *restored);
  }
  for (const zab::Txn& txn : effects.deliver) {
    tenant_->deliver(index(server), txn);
    if (server.imaged && !server.imaged->image && random_.one_in(2)) {
      server.imaged->image = tenant_->collect_image(index(server), Tenant::Amount::part);
    }
  }
  for (const zab::Confirmed& confirmed : effects.confirmed) {
    tenant_->confirmed(index(server), confirmed);
  }
  if (effects.role_status) tenant_->role_changed(index(server), *effects.role_status);
}

void Cluster::wait_for_disk(Server& server, zab::Effects effects) {
  if (effects.persist.empty() && effects.confirm.empty()) {
    if (effects.read.empty()) return;
    if (server.batches.empty()) return begin_reading(server, effects.read);
  }
  std::vector<Generation> links;
  for (const zab::Envelope& envelope : effects.confirm) {
    links.push_back(envelope.to == server.id ? 0
                                             : network_.link(index(server), envelope.to.value - 1));
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
  const Time now = calendar_.now();
  Time delay = random_.between(1, options_.disk_delay_max);
  if (server.disk_slow_until > now) delay += random_.between(tick, 10 * tick);
  if (server.disk_stuck_until > now) delay += server.disk_stuck_until - now;
  calendar_.schedule(now + delay,
                     {.kind = Kind::written, .server = index32(server), .generation = server.life});
}

void Cluster::written(Server& server) {
  const std::vector<zab::Persist>& persists = server.batches.front().effects.persist;
  if (!persists.empty() && server.disk->write(persists) == Disk::Done::failed) {
    say([&] { return to_string(server.id) + "    cannot write"; });
    totals_.count(Rare::sync_failed);
    return crash(server);
  }
  const Batch batch = std::move(server.batches.front());
  server.batches.pop_front();
  for (const zab::Persist& persist : batch.effects.persist) record(server, persist);

  std::size_t leaving = batch.effects.confirm.size();
  const bool dies = server.dies_in_step && random_.one_in(2);
  if (dies) leaving = static_cast<std::size_t>(random_.below(leaving + 1));
  for (std::size_t i = 0; i < leaving; ++i) leave(server, batch.effects.confirm[i], batch.links[i]);
  if (dies) return crash(server);
  begin_reading(server, batch.effects.read);
  if (server.batches.empty()) return checkers_.on_quiet(server.peer->state());
  write_next(server);
}

void Cluster::record(Server& server, const zab::Persist& persist) {
  if (std::holds_alternative<zab::StoreSnapshot>(persist)) return;
  say([&] { return to_string(server.id) + "    durable: " + to_string(persist); });
  const Checkers::Before before = checkers_.before_write(server.id);
  zab::store(persist, image(server));
  checkers_.on_written(server.id, persist, before);
}

// Over the link that was up at the time of the step, if it still is.
void Cluster::leave(Server& server, const zab::Envelope& envelope, Generation generation) {
  if (envelope.to == server.id) {
    checkers_.on_leaving(server.peer->state(), envelope);
    server.to_self.push_back(envelope.message);
    server.last_to_self = std::max(
        server.last_to_self,
        calendar_.now() +
            (options_.self_delay_max == 0 ? 0 : random_.between(0, options_.self_delay_max)));
    calendar_.schedule(
        server.last_to_self,
        {.kind = Kind::deliver_self, .server = index32(server), .generation = server.life});
    return;
  }
  const std::size_t to = envelope.to.value - 1;
  if (generation == 0 || network_.link(index(server), to) != generation) return;
  if (std::holds_alternative<zab::Successor>(envelope.message)) totals_.count(Rare::handover);
  checkers_.on_leaving(server.peer->state(), envelope);
  network_.send(index(server), to, generation, server::PeerMessage(envelope.message));
}

// One after the other, and none before what was to be written first.
void Cluster::begin_reading(Server& server, const std::vector<zab::Read>& reads) {
  // A long history takes as many reads while everything heals as it took writes before.
  const Time slowest = healing_ ? tick / 20 : options_.disk_delay_max;
  for (const zab::Read& read : reads) {
    server.reads.push_back(read);
    server.last_read = std::max(server.last_read, calendar_.now()) + random_.between(1, slowest);
    calendar_.schedule(server.last_read,
                       {.kind = Kind::read, .server = index32(server), .generation = server.life});
  }
}

void Cluster::answer(Server& server, const zab::ReadHistory& read) {
  auto stretch = server.disk->read_after(read.after);
  zab::HistoryRead event{.learner = read.learner, .ticket = read.ticket, .from = {}, .txns = {}};
  if (!stretch) {
    // It goes on, and sends a snapshot, one that is behind the damage.
    say([&] { return to_string(server.id) + "  cannot read: " + stretch.error().message; });
    totals_.count(Rare::unreadable);
    take_checkpoint(server, Tenant::Amount::all);
    if (!server.peer) return;
  } else if (*stretch) {
    totals_.count(Rare::log_read);
    event.from = (*stretch)->from;
    event.txns = std::move((*stretch)->txns);
  }
  step(server, std::move(event));
}

void Cluster::answer(Server& server, const zab::ReadSnapshot& read) {
  Sending& sending = server.sending[read.learner.value - 1];
  if (read.first) sending = {server.disk->checkpoint().at, server.disk->snapshot()};
  const std::size_t chunk =
      sending.bytes.size() / static_cast<std::size_t>(random_.between(1, 5)) + 1;
  auto bytes = std::make_shared<const wire::Bytes>(sending.bytes.substr(sending.sent, chunk));
  sending.sent = std::min(sending.sent + chunk, sending.bytes.size());
  step(server, zab::SnapshotRead{.learner = read.learner,
                                 .ticket = read.ticket,
                                 .at = sending.at,
                                 .bytes = std::move(bytes),
                                 .last = sending.sent == sending.bytes.size()});
}

// A tenant takes its time, unless it must not.
void Cluster::take_checkpoint(Server& server, Tenant::Amount amount) {
  if (server.state.at.zxid <= server.disk->checkpoint().at.zxid) return;
  if (tenant_ == nullptr) return store_checkpoint(server, server.state);
  const auto collect = [&] {
    if (server.imaged->image) return;
    server.imaged->image = tenant_->collect_image(index(server), amount);
  };
  if (server.imaged) {
    if (amount == Tenant::Amount::part) return;
    collect();
  }
  server.imaged = server.state;
  server.imaged->image.reset();  // what it may have begun with
  tenant_->begin_image(index(server));
  collect();
  if (amount == Tenant::Amount::all) go_on_with_image(server);
}

void Cluster::go_on_with_image(Server& server) {
  if (!server.imaged) return;
  if (!server.imaged->image) {
    server.imaged->image = tenant_->collect_image(index(server), Tenant::Amount::part);
  }
  const bool is_ready = server.imaged->image && Checkers::holds(image(server), server.imaged->at);
  if (is_ready) store_checkpoint(server, *std::exchange(server.imaged, std::nullopt));
}

// Only of what the log holds too: a checkpoint is never ahead of it.
void Cluster::store_checkpoint(Server& server, const Checkpoint& state) {
  const bool is_new = state.at.zxid > server.disk->checkpoint().at.zxid;
  if (!is_new || !Checkers::holds(image(server), state.at)) return;
  say([&] {
    return to_string(server.id) + "  takes a checkpoint at " + wire::to_string(state.at.zxid);
  });
  if (state.image && state.at != server.state.at) totals_.count(Rare::image_of_the_past);
  // Nothing goes wrong with a tenant's any more while everything heals.
  const bool dies = options_.crash_in_step != 0 && random_.one_in(6) && !(state.image && healing_);
  if (dies) server.disk->crash_during(state);
  if (dies || server.disk->take(state) == Disk::Done::failed) crash(server);
}

}  // namespace sim
