#include <algorithm>
#include <utility>

#include "tests/sim/cluster.h"
#include "tests/sim/event_text.h"
#include "zab/print.h"

// The steps of a server's peer, and how their effects are carried out.
namespace sim {

void Cluster::step(Server& server, zab::Event event, Cause cause) {
  if (!server.peer) return;
  trace([&] {
    return to_string(server.id) + (cause == Cause::stray ? "  stray " : "  ") + text_of(event);
  });
  totals_.steps += 1;
  elections_.on_event(server.id, event);
  carry_out(server, server.peer->step(std::move(event)), cause);
}

void Cluster::carry_out(Server& server, zab::Effects effects, Cause cause) {
  mix(effects.send.size() * 65536 + effects.persist.size() * 256 + effects.confirm.size());
  mix(server.peer->state().last_committed.bits() ^ (server.peer->state().round << 48));
  const bool crashes = server.crashes_in_step && !effects.empty() && random_.one_in(2);
  elections_.on_step(server.peer->state(), server.peer->role_status(), effects);

  if (!can_read_snapshot(server, effects)) return crash(server);
  const std::optional<Checkpoint> restored = apply(server, effects);
  if (effects.role_status) {
    trace([&] { return to_string(server.id) + "    is " + to_string(*effects.role_status); });
    checkers_.on_role_status(server.id, *effects.role_status);
  }
  for (const zab::Note& note : effects.notes) {
    trace([&] { return to_string(server.id) + "    note: " + note.text; });
    if (cause == Cause::stray) {
      totals_.count(Rare::stray_refused);
    } else {
      checkers_.on_note(server.id, note);
    }
    if (note.kind == zab::Note::Kind::counter_used_up) totals_.count(Rare::rollover);
    if (note.kind == zab::Note::Kind::foreign_server) totals_.count(Rare::foreign_server_seen);
  }
  if (!effects.refused.empty()) totals_.count(Rare::refused_submit);
  if (cause == Cause::submit) {
    for (const zab::Persist& persist : effects.persist) {
      if (const auto* append = std::get_if<zab::Append>(&persist)) {
        checkers_.on_broadcast(server.id, append->txn);
      }
    }
  }
  if (application_ == nullptr) {
    for (const zab::Confirmed& confirmed : effects.confirmed) checkers_.on_confirmed(confirmed);
  }
  pass_to_application(server, effects, restored);

  std::size_t sent_count = effects.send.size();
  if (crashes && random_.one_in(2))
    sent_count = static_cast<std::size_t>(random_.below(sent_count + 1));
  for (std::size_t i = 0; i < sent_count; ++i) {
    const zab::Envelope& envelope = effects.send[i];
    send_envelope(
        server, envelope,
        envelope.to == server.id ? 0 : network_.link(index(server), envelope.to.value - 1));
  }
  const bool sent_all = sent_count == effects.send.size();
  effects.send.clear();
  if (sent_all) wait_for_disk(server, std::move(effects));
  // If there is something to write, the crash may also come after the write: see written().
  if (!sent_all || (crashes && (server.batches.empty() || random_.one_in(2)))) crash(server);
  if (server.peer && server.batches.empty()) checkers_.on_disk_idle(server.peer->state());
}

bool Cluster::can_read_snapshot(const Server& server, const zab::Effects& effects) {
  if (application_ == nullptr) return true;
  wire::Bytes bytes = server.incoming;
  for (const zab::Persist& persist : effects.persist) {
    const auto* chunk = std::get_if<zab::StoreSnapshot>(&persist);
    if (chunk == nullptr) continue;
    if (chunk->first) bytes.clear();
    bytes += *chunk->bytes;
    if (!chunk->last) continue;
    const auto snapshot = decode(bytes);
    if (snapshot && !application_->can_read(index(server), *snapshot)) return false;
  }
  return true;
}

// Applies the effects to the server's state. Returns the snapshot that was restored, if any,
// without the transactions delivered after it.
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
      throw Violation("state_is_f_of_history", "server " + to_string(server.id) +
                                                   " restores a snapshot that it was not sent");
    }
    trace([&] {
      return to_string(server.id) + "    restore " + wire::to_string(effects.restore->zxid);
    });
    server.state = *restored;
    checkers_.on_restored(server.id, server.state);
  }
  for (const zab::Txn& txn : effects.deliver) {
    trace([&] { return to_string(server.id) + "    deliver " + wire::to_string(txn.zxid); });
    server.state = server.state.after(txn);
    checkers_.on_delivered(server.id, txn);
  }
  return restored;
}

void Cluster::pass_to_application(Server& server, const zab::Effects& effects,
                                  const std::optional<Checkpoint>& restored) {
  if (application_ == nullptr) return;
  if (!effects.refused.empty())
    throw Violation("plans", "the protocol refuses a planned transaction");
  if (restored) {
    server.image_in_progress.reset();
    application_->restore(index(server), *restored);
  }
  for (const zab::Txn& txn : effects.deliver) {
    application_->deliver(index(server), txn);
    if (server.image_in_progress && !server.image_in_progress->image && random_.one_in(2)) {
      server.image_in_progress->image =
          application_->collect_image(index(server), Application::Amount::part);
    }
  }
  for (const zab::Confirmed& confirmed : effects.confirmed) {
    application_->confirmed(index(server), confirmed);
  }
  if (effects.role_status) application_->role_changed(index(server), *effects.role_status);
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
  // The first batch is being written already. Group commit adds later effects to the next batch.
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
  const Time now = queue_.now();
  Time delay = random_.between(1, options_.disk_delay_max);
  if (server.disk_slow_until > now) delay += random_.between(tick, 10 * tick);
  if (server.disk_stuck_until > now) delay += server.disk_stuck_until - now;
  queue_.schedule(
      now + delay,
      {.kind = Kind::written, .server = index32(server), .generation = server.incarnation});
}

void Cluster::written(Server& server) {
  const std::vector<zab::Persist>& persists = server.batches.front().effects.persist;
  if (!persists.empty() && server.disk->write(persists) == Disk::Done::failed) {
    trace([&] { return to_string(server.id) + "    cannot write"; });
    totals_.count(Rare::sync_failed);
    return crash(server);
  }
  const Batch batch = std::move(server.batches.front());
  server.batches.pop_front();
  for (const zab::Persist& persist : batch.effects.persist) record(server, persist);

  std::size_t sent_count = batch.effects.confirm.size();
  const bool crashes = server.crashes_in_step && random_.one_in(2);
  if (crashes) sent_count = static_cast<std::size_t>(random_.below(sent_count + 1));
  for (std::size_t i = 0; i < sent_count; ++i)
    send_envelope(server, batch.effects.confirm[i], batch.links[i]);
  if (crashes) return crash(server);
  begin_reading(server, batch.effects.read);
  if (server.batches.empty()) return checkers_.on_disk_idle(server.peer->state());
  write_next(server);
}

void Cluster::record(Server& server, const zab::Persist& persist) {
  if (std::holds_alternative<zab::StoreSnapshot>(persist)) return;
  trace([&] { return to_string(server.id) + "    durable: " + to_string(persist); });
  const Checkers::Before before = checkers_.before_write(server.id);
  zab::store(persist, durable(server));
  checkers_.on_written(server.id, persist, before);
}

// Sends a message over the link that was up at the time of the step, if it is still up.
void Cluster::send_envelope(Server& server, const zab::Envelope& envelope, Generation generation) {
  if (envelope.to == server.id) {
    checkers_.on_sent(server.peer->state(), envelope);
    server.to_self.push_back(envelope.message);
    server.last_to_self = std::max(
        server.last_to_self,
        queue_.now() +
            (options_.self_delay_max == 0 ? 0 : random_.between(0, options_.self_delay_max)));
    queue_.schedule(
        server.last_to_self,
        {.kind = Kind::deliver_self, .server = index32(server), .generation = server.incarnation});
    return;
  }
  const std::size_t to = envelope.to.value - 1;
  if (generation == 0 || network_.link(index(server), to) != generation) return;
  if (std::holds_alternative<zab::Successor>(envelope.message)) totals_.count(Rare::handover);
  checkers_.on_sent(server.peer->state(), envelope);
  network_.send(index(server), to, generation, server::PeerMessage(envelope.message));
}

// Reads are answered one after the other, after the writes before them.
void Cluster::begin_reading(Server& server, const std::vector<zab::Read>& reads) {
  // During healing reads are fast, because a long history needs many of them.
  const Time slowest = healing_ ? tick / 20 : options_.disk_delay_max;
  for (const zab::Read& read : reads) {
    server.reads.push_back(read);
    server.last_read = std::max(server.last_read, queue_.now()) + random_.between(1, slowest);
    queue_.schedule(
        server.last_read,
        {.kind = Kind::read, .server = index32(server), .generation = server.incarnation});
  }
}

void Cluster::answer(Server& server, const zab::ReadHistory& read) {
  auto stretch = server.disk->read_after(read.after);
  zab::HistoryRead event{.learner = read.learner, .ticket = read.ticket, .from = {}, .txns = {}};
  if (!stretch) {
    // The server sends a snapshot instead. It must be newer than the damage.
    trace([&] { return to_string(server.id) + "  cannot read: " + stretch.error().message; });
    totals_.count(Rare::unreadable);
    take_checkpoint(server, Application::Amount::all);
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

// An application's image is collected in parts, unless `amount` is all.
void Cluster::take_checkpoint(Server& server, Application::Amount amount) {
  if (server.state.at.zxid <= server.disk->checkpoint().at.zxid) return;
  if (application_ == nullptr) return store_checkpoint(server, server.state);
  if (!application_->can_take_checkpoint(index(server))) return;
  const auto collect = [&] {
    if (server.image_in_progress->image) return;
    server.image_in_progress->image = application_->collect_image(index(server), amount);
  };
  if (server.image_in_progress) {
    if (amount == Application::Amount::part) return;
    collect();
  }
  server.image_in_progress = server.state;
  server.image_in_progress->image.reset();  // it may have the image of an earlier checkpoint
  application_->begin_image(index(server));
  collect();
  if (amount == Application::Amount::all) continue_image(server);
}

void Cluster::continue_image(Server& server) {
  if (!server.image_in_progress) return;
  if (!server.image_in_progress->image) {
    server.image_in_progress->image =
        application_->collect_image(index(server), Application::Amount::part);
  }
  const bool is_ready = server.image_in_progress->image &&
                        Checkers::holds(durable(server), server.image_in_progress->at);
  if (is_ready) store_checkpoint(server, *std::exchange(server.image_in_progress, std::nullopt));
}

// A checkpoint is never ahead of the log.
void Cluster::store_checkpoint(Server& server, const Checkpoint& state) {
  const bool is_new = state.at.zxid > server.disk->checkpoint().at.zxid;
  if (!is_new || !Checkers::holds(durable(server), state.at)) return;
  trace([&] {
    return to_string(server.id) + "  takes a checkpoint at " + wire::to_string(state.at.zxid);
  });
  if (state.image && state.at != server.state.at) totals_.count(Rare::image_of_the_past);
  // No crash during the checkpoint of an application while the cluster heals.
  const bool crashes =
      options_.crash_in_step != 0 && random_.one_in(6) && !(state.image && healing_);
  if (crashes) server.disk->crash_during(state);
  if (crashes || server.disk->take(state) == Disk::Done::failed) crash(server);
}

}  // namespace sim
