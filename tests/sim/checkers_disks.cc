#include <algorithm>
#include <variant>

#include "tests/sim/checkers.h"
#include "tests/sim/event_text.h"
#include "tests/sim/quorum.h"
#include "zab/print.h"

// The checks of disks: recovery, writes, and adopted histories.
namespace sim {
namespace {

using wire::to_string;
using zab::Durable;
using zab::Epoch;
using zab::ServerId;
using zab::to_string;

}  // namespace

// A server recovers the durable state, or knows that it is damaged.
void Checkers::on_recovered(ServerId id, const Durable& found, const Durable& held,
                            Medium medium) const {
  const auto fail = [&](const std::string& why) {
    throw Violation("recovery", name_of(id) + " finds " + to_string(found.history.last().zxid) +
                                    " where it had " + to_string(held.history.last().zxid) + ": " +
                                    why);
  };
  if (found.damaged) {
    if (medium == Medium::healthy && !held.damaged) fail("it claims to be damaged, and is not");
    for (auto txn = found.history.after(found.history.base().zxid); txn != found.history.end();
         ++txn) {
      check_known(*txn, "left on a damaged disk");
    }
    // Records that an earlier start found void may be valid again, if the proof is lost too.
    std::vector<const Durable*> ever{&held};
    for (const Durable& lost : lost_[id.value - 1]) ever.push_back(&lost);
    zab::Claim most{};
    Epoch accepted;
    for (const Durable* disk : ever) {
      accepted = std::max(accepted, disk->accepted_epoch);
      most = std::max({most, disk->damaged.value_or(zab::Claim{}),
                       zab::Claim{disk->current_epoch, disk->history.last().zxid}});
    }
    if (found.accepted_epoch > accepted || found.current_epoch > most.current_epoch) {
      fail("it is damaged, and its epochs are greater than before: accepted " +
           std::to_string(found.accepted_epoch.value) + ", current " +
           std::to_string(found.current_epoch.value));
    }
    if (*found.damaged > most) {
      fail("it claims to have had " + to_string(found.damaged->last_zxid) + " in epoch " +
           std::to_string(found.damaged->current_epoch.value) + ", which it never had");
    }
    return;
  }
  // A server without any file is like a new one: its promises do not count either.
  if (medium == Medium::rotten && found.disk_state() == zab::DiskState::blank) return;
  if (held.damaged) fail("its damage is forgotten");
  if (found.accepted_epoch != held.accepted_epoch ||
      found.accepted_leader != held.accepted_leader || found.current_epoch != held.current_epoch ||
      found.cluster != held.cluster || found.founded != held.founded ||
      found.history.last() != held.history.last()) {
    fail("it lacks durable state and does not know that it is damaged; accepted " +
         std::to_string(found.accepted_epoch.value) + " of " +
         std::to_string(held.accepted_epoch.value) + ", current " +
         std::to_string(found.current_epoch.value) + " of " +
         std::to_string(held.current_epoch.value));
  }
}

void Checkers::on_disk_lost(ServerId id, const Durable& held) {
  if (!foreign_[id.value - 1]) lost_[id.value - 1].push_back(held);
}

bool Checkers::held_ever(std::size_t disk, zab::Point point) const {
  return (!foreign_[disk] && holds(disks_[disk], point)) ||
         std::ranges::any_of(lost_[disk], [&](const Durable& lost) { return holds(lost, point); });
}

Checkers::Before Checkers::before_write(ServerId id) const {
  const Durable& disk = disks_[id.value - 1];
  return {disk.accepted_epoch, disk.accepted_leader,
          disk.current_epoch,  disk.disk_state(),
          disk.history.last(), order_.empty() || holds(disk, order_.back().point())};
}

void Checkers::on_written(ServerId id, const zab::Persist& persist, const Before& before) {
  const Durable& disk = disks_[id.value - 1];
  if (const auto* append = std::get_if<zab::Append>(&persist)) check_known(append->txn, "on disk");
  if (const auto* adopt = std::get_if<zab::AdoptHistory>(&persist)) {
    for (const zab::Txn& txn : adopt->txns) check_known(txn, "adopted");
    check_adoption(id, *adopt, before);
  }
  if (const auto* accept = std::get_if<zab::AcceptEpoch>(&persist)) {
    accepted_[{accept->epoch, accept->leader}][id].disk_state = before.disk_state;
  }
  if (std::holds_alternative<zab::MarkFounded>(persist)) {
    if (founded_ && *founded_ != disk.cluster) {
      throw Violation("foreign", name_of(id) + " belongs to a second cluster");
    }
    update_founded();
  }
  const bool other_leader = disk.accepted_epoch == before.accepted_epoch &&
                            disk.accepted_leader != before.accepted_leader;
  if (other_leader || disk.accepted_epoch < before.accepted_epoch ||
      disk.current_epoch < before.current_epoch || disk.current_epoch > disk.accepted_epoch ||
      disk.history.last().zxid.epoch > disk.current_epoch) {
    throw Violation("epoch_monotonicity", name_of(id) + " wrote: " + to_string(persist));
  }
  if (before.held_all_delivered && !order_.empty() && !holds(disk, order_.back().point())) {
    throw Violation("truncation_safety", name_of(id) + " removed " + to_string(order_.back().zxid) +
                                             ": " + to_string(persist));
  }
  check_completeness();
}

// Steps l.2.1 and f.2.1.
void Checkers::check_adoption(ServerId id, const zab::AdoptHistory& adopted, const Before& before) {
  const Durable& disk = disks_[id.value - 1];
  adopted_[adopted.epoch].push_back(id);
  if (adopted.snapshot) totals_.count(Rare::snapshot_adopted);
  if (!adopted.snapshot && adopted.from.zxid < before.last.zxid) totals_.count(Rare::truncation);
  if (before.disk_state == zab::DiskState::damaged) totals_.count(Rare::damaged_repaired);
  if (before.disk_state == zab::DiskState::blank && founded_) totals_.count(Rare::wiped_repaired);
  if (disk.accepted_leader == id) return;
  const std::vector<zab::Point>& sent = sent_[{adopted.epoch, id}];
  if (std::ranges::find(sent, disk.history.last()) == sent.end()) {
    throw Violation("sync_result", name_of(id) + " adopts a history up to " +
                                       to_string(disk.history.last().zxid) +
                                       ", which its leader did not send");
  }
}

bool Checkers::ever_adopted(ServerId id, Epoch epoch) const {
  const auto adopted = adopted_.find(epoch);
  return adopted != adopted_.end() &&
         std::ranges::find(adopted->second, id) != adopted->second.end();
}

void Checkers::update_founded() {
  if (founded_) return;
  std::optional<zab::ClusterId> cluster;
  for (const zab::Member& member : ensemble_.members()) {
    const Durable& disk = disks_[member.id.value - 1];
    if (!is_voter(ensemble_, member.id)) continue;
    if (!disk.founded || (cluster && *cluster != disk.cluster)) return;
    cluster = disk.cluster;
  }
  founded_ = cluster;
}

void Checkers::on_disk_idle(const zab::State& state) const {
  const Durable& memory = state.durable;
  const Durable& disk = disks_[state.self.value - 1];
  if (memory.accepted_epoch == disk.accepted_epoch &&
      memory.accepted_leader == disk.accepted_leader &&
      memory.current_epoch == disk.current_epoch && memory.cluster == disk.cluster &&
      memory.founded == disk.founded && memory.damaged == disk.damaged &&
      memory.history.last() == disk.history.last()) {
    return;
  }
  throw Violation("memory_is_disk",
                  name_of(state.self) + " has " + to_string(memory.history.last().zxid) +
                      " in memory and " + to_string(disk.history.last().zxid) +
                      " on disk, current epochs " + std::to_string(memory.current_epoch.value) +
                      " and " + std::to_string(disk.current_epoch.value));
}

}  // namespace sim
