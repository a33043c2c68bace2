#include <algorithm>
#include <utility>

#include "tests/sim/cluster.h"
#include "tests/sim/forged_message.h"
#include "zab/print.h"

// Faults of servers, links and disks.
namespace sim {
namespace {

constexpr std::uint64_t slow_factor_max = 30;

}  // namespace

void Cluster::handle_fault(Kind kind) {
  Server& server = any_server();
  const Time now = queue_.now();
  switch (kind) {
    case Kind::crash: crash(server); return schedule_fault(kind, options_.crash);
    case Kind::crash_in_step:
      server.crashes_in_step = true;
      return schedule_fault(kind, options_.crash_in_step);
    case Kind::crash_all:
      for (Server& one : servers_) crash(one);
      return schedule_fault(kind, options_.crash_all);
    case Kind::pause:
      pause(server, now + some_outage());
      return schedule_fault(kind, options_.pause);
    case Kind::partition: partition(); return schedule_fault(kind, options_.partition);
    case Kind::cut:
    case Kind::slow_link:
    case Kind::stall_link:
      harm_link(kind);
      return schedule_fault(kind, kind == Kind::cut         ? options_.cut
                                  : kind == Kind::slow_link ? options_.slow_link
                                                            : options_.stall_link);
    case Kind::slow_disk:
      server.disk_slow_until = now + some_outage();
      trace([&] { return to_string(server.id) + "  has a slow disk"; });
      return schedule_fault(kind, options_.slow_disk);
    case Kind::stuck_disk:
      server.disk_stuck_until = now + some_outage();
      trace([&] { return to_string(server.id) + "  has a stalled disk"; });
      return schedule_fault(kind, options_.stuck_disk);
    case Kind::failing_sync:
      if (server.peer) server.disk->fail_soon(Fault::io_error);
      return schedule_fault(kind, options_.failing_sync);
    case Kind::full_disk:
      totals_.count(Rare::disk_full);
      trace([&] { return to_string(server.id) + "  has no space left"; });
      server.disk->set_full(true);
      queue_.schedule(now + some_outage(),
                      {.kind = Kind::space_returns, .server = index32(server)});
      return schedule_fault(kind, options_.full_disk);
    case Kind::rot:
      if (may_lose_disk(server)) rot(server, Discovery::later);
      return schedule_fault(kind, options_.rot);
    case Kind::wipe:
      if (may_lose_disk(server)) {
        totals_.count(Rare::wiped);
        wipe(server);
      }
      return schedule_fault(kind, options_.wipe);
    case Kind::lose_quorum: lose_quorum(); return schedule_fault(kind, options_.lose_quorum);
    case Kind::foreign_disk:
      if (may_lose_disk(server) && all_others_founded(server)) make_foreign(server);
      return schedule_fault(kind, options_.foreign_disk);
    case Kind::stray: send_stray(); return schedule_fault(kind, options_.stray);
    default: return;
  }
}

void Cluster::pause(Server& server, Time until) {
  if (!server.peer || server.paused) return;
  trace([&] { return to_string(server.id) + "  pauses"; });
  server.paused = true;
  network_.listen(index(server), false);
  queue_.schedule(
      until, {.kind = Kind::resume, .server = index32(server), .generation = server.incarnation});
}

// --- The network ---

void Cluster::partition() {
  const std::size_t count = servers_.size();
  const std::uint64_t side = random_.next();
  const auto one = static_cast<std::size_t>(random_.below(count));
  const std::uint64_t shape = random_.below(6);
  // In a ring, each server is linked to `reach` neighbours on each side. With the larger `reach`
  // each server is linked to a majority, and each to a different one.
  const std::size_t reach = shape == 3 ? 1 : std::max<std::size_t>(1, (count + 2) / 4);
  const auto are_linked = [&](std::size_t a, std::size_t b) {
    const std::size_t apart = a > b ? a - b : b - a;
    switch (shape) {
      case 1: return a != one && b != one;                                        // one is alone
      case 2: return a == one || b == one || ((side >> a ^ side >> b) & 1) == 0;  // a bridge
      case 3:
      case 4: return std::min(apart, count - apart) <= reach;  // a ring
      default: return ((side >> a ^ side >> b) & 1) == 0;      // two halves
    }
  };
  totals_.count(Rare::partition);
  trace([&] { return "a partition of shape " + std::to_string(shape); });
  const Time until = queue_.now() + some_outage();
  for (std::size_t a = 0; a < count; ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      if (!are_linked(a, b)) network_.block(a, b, until);
    }
  }
}

void Cluster::harm_link(Kind kind) {
  const auto a = static_cast<std::size_t>(random_.below(servers_.size()));
  const auto b = static_cast<std::size_t>(random_.below(servers_.size()));
  if (a == b) return;
  const auto trace_link = [&](const char* how) {
    trace([&] {
      return "link " + to_string(servers_[a].id) + " -> " + to_string(servers_[b].id) + how;
    });
  };
  switch (kind) {
    case Kind::cut: return network_.cut(a, b);
    case Kind::slow_link:
      trace_link(" is slow");
      return network_.slow(a, b, queue_.now() + some_outage(),
                           random_.between(1, slow_factor_max * tick));
    default:
      trace_link(" stalls");
      totals_.count(Rare::stall);
      return network_.stall(a, b, queue_.now() + some_outage());
  }
}

// Delivers a message that the receiver must ignore or refuse, at a random time.
void Cluster::send_stray() {
  Server& to = any_server();
  Server& from = any_server();
  if (!to.peer || to.paused || from.id == to.id) return;
  if (network_.link(index(to), index(from)) == 0) return;
  const auto message =
      forge({.state = to.peer->state(),
             .role_status = to.peer->role_status(),
             .sender = from.id,
             .sender_has_adopted = checkers_.ever_adopted(from.id, to.peer->role_status().epoch),
             .sender_holds = durable(from).history.last().zxid},
            random_);
  if (!message) return;
  totals_.count(Rare::stray);
  step(to, zab::Received{from.id, *message}, Cause::stray);
}

// --- Disks ---

bool Cluster::is_sound(const Server& server) const {
  return durable(server).disk_state() == zab::DiskState::sound && !server.suspect &&
         !server.foreign;
}

// Whether this server may lose its disk. It may if the other sound servers are a quorum.
bool Cluster::may_lose_disk(const Server& server) const {
  if (!checkers_.founded()) return false;
  std::vector<zab::ServerId> sound;
  for (const Server& other : servers_) {
    if (other.id != server.id && is_sound(other)) sound.push_back(other.id);
  }
  return options_.ensemble.is_quorum(sound);
}

bool Cluster::all_others_founded(const Server& server) const {
  return std::ranges::all_of(servers_, [&](const Server& other) {
    return other.id == server.id || durable(other).founded;
  });
}

// Corrupts the disk of a server that is down, or of a running one, which does not notice.
void Cluster::rot(Server& server, Discovery shows) {
  if (server.foreign || server.suspect) return;
  const bool again = durable(server).damaged.has_value();
  if (!server.disk->is_open() || !server.disk->rot()) return;
  if (again) totals_.count(Rare::damage_again);
  trace([&] { return to_string(server.id) + "  has a damaged disk"; });
  server.rotten = server.suspect = true;
  if (server.peer && shows == Discovery::later && random_.one_in(2)) return;
  if (server.peer) return crash(server);
  server.disk->crash_during(std::vector<zab::Persist>{});
  static_cast<void>(recover(server));
}

void Cluster::wipe(Server& server) {
  crash(server);
  trace([&] { return to_string(server.id) + "  gets an empty disk"; });
  checkers_.on_disk_lost(server.id, durable(server));
  const bool full = options_.full_disk != 0 && !healing_ && random_.one_in(2);
  server.disk->wipe(full ? Disk::Space::none : Disk::Space::enough);
  if (full) {
    totals_.count(Rare::disk_full);
    queue_.schedule(queue_.now() + some_outage(),
                    {.kind = Kind::space_returns, .server = index32(server)});
  }
  server.unfinished.clear();
  server.rotten = server.suspect = server.foreign = false;
  checkers_.on_foreign(server.id, false);
  durable(server) = zab::Durable{};
}

// Damages or wipes the disks of voters, until no sound quorum remains. All voters together can
// continue if one sound voter (`keeper`) has all transactions, and knows of every promise that is
// lost. Blank voters must not be a quorum, because they would look like a new cluster.
void Cluster::lose_quorum() {
  Server& keeper = any_server();
  if (!checkers_.founded() || !is_sound(keeper)) return;
  if (!options_.ensemble.is_voter(keeper.id)) return;
  const zab::Durable& kept = durable(keeper);
  for (const Server& server : servers_) {
    if (server.foreign || server.suspect || !server.unfinished.empty()) return;
    const zab::Durable& disk = durable(server);
    if (!Checkers::holds(kept, disk.history.last())) return;
    if (disk.current_epoch > kept.current_epoch || disk.disk_state() != zab::DiskState::sound)
      return;
    if (disk.accepted_epoch > kept.accepted_epoch || !server.batches.empty()) return;
  }
  std::vector<zab::ServerId> blank;
  for (Server& server : servers_) {
    if (server.id == keeper.id || !options_.ensemble.is_voter(server.id)) continue;
    if (may_lose_disk(server) && random_.one_in(2)) continue;
    blank.push_back(server.id);
    if (options_.ensemble.is_quorum(blank)) {
      blank.pop_back();
      rot(server, Discovery::at_once);
    } else {
      totals_.count(Rare::wiped);
      wipe(server);
    }
  }
}

void Cluster::make_foreign(Server& server) {
  if (server.foreign) return;
  wipe(server);
  trace([&] { return to_string(server.id) + "  gets a disk of another cluster"; });
  totals_.count(Rare::foreign_disk);
  server.foreign = true;
  checkers_.on_foreign(server.id, true);
  const zab::Epoch epoch{static_cast<std::uint32_t>(random_.between(1, 40))};
  zab::History history;
  zab::AdoptHistory adopt{.epoch = epoch,
                          .cluster = {random_.next() | 1, 0xf0e1},
                          .from = {},
                          .snapshot = false,
                          .txns = {}};
  for (std::uint64_t i = random_.below(20); i > 0; --i) {
    const zab::Zxid last = history.last().zxid;
    adopt.txns.push_back(
        history.append(last.epoch == epoch ? last.next() : zab::Zxid{epoch, 1},
                       std::make_shared<const wire::Bytes>("foreign " + std::to_string(i))));
  }
  const std::vector<zab::Persist> content{zab::AcceptEpoch{epoch, server.id}, adopt,
                                          zab::MarkFounded{}};
  server.disk->replace(content);
  for (const zab::Persist& persist : content) zab::store(persist, durable(server));
}

// --- A fault of a single voter ---

void Cluster::begin_minority() {
  const auto first = static_cast<std::size_t>(random_.below(servers_.size()));
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    Server& server = servers_[(first + i) % servers_.size()];
    if (!options_.ensemble.is_voter(server.id) || !may_lose_disk(server)) continue;
    const Time until = options_.duration;
    switch (random_.below(5)) {
      case 0: server.disk_slow_until = until; return;
      case 1: server.disk_stuck_until = until; return;
      case 2: return pause(server, until);
      case 3: {
        for (std::size_t other = 0; other < servers_.size(); ++other) {
          if (other != index(server)) network_.block(index(server), other, until);
        }
        return;
      }
      default:
        server.down_until = until;
        if (random_.one_in(2)) return wipe(server);
        return crash(server);
    }
  }
}

}  // namespace sim
