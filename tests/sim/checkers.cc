#include "tests/sim/checkers.h"

#include <algorithm>
#include <tuple>
#include <variant>

#include "tests/sim/quorum.h"
#include "zab/print.h"

namespace sim {
namespace {

using wire::to_string;
using zab::Durable;
using zab::Epoch;
using zab::ServerId;
using zab::to_string;

std::string server(ServerId id) { return "server " + to_string(id); }

// What a message promises about its sender's disk; nothing for most.
struct Promise {
  const Durable& disk;
  ServerId self;
  ServerId to;

  [[nodiscard]] bool holds(const zab::Notification& m) const {
    if (m.condition == zab::Condition::sound && disk.condition() != m.condition) return false;
    if (m.role != zab::Role::looking || m.vote.leader != self) return true;
    return disk.current_epoch >= m.vote.current_epoch && disk.history.contains(m.vote.last_zxid);
  }
  [[nodiscard]] bool holds(const zab::FollowerInfo& m) const {
    return disk.accepted_epoch >= m.accepted_epoch && disk.history.contains(m.last);
  }
  [[nodiscard]] bool holds(const zab::LeaderInfo& m) const {
    return disk.accepted_epoch > m.epoch ||
           (disk.accepted_epoch == m.epoch && disk.accepted_leader == self);
  }
  [[nodiscard]] bool holds(const zab::AckEpoch& m) const {
    const bool accepted = disk.accepted_epoch > m.epoch ||
                          (disk.accepted_epoch == m.epoch && disk.accepted_leader == to);
    return accepted && disk.current_epoch >= m.current_epoch && disk.history.contains(m.last);
  }
  [[nodiscard]] bool holds(const zab::AckNewLeader& m) const {
    return disk.current_epoch >= m.epoch;
  }
  [[nodiscard]] bool holds(const zab::Ack& m) const {
    return disk.current_epoch >= m.zxid.epoch &&
           (m.zxid <= disk.history.base().zxid || disk.history.contains(m.zxid));
  }
  template <typename Other>
  [[nodiscard]] bool holds(const Other&) const {
    return true;
  }
};

}  // namespace

void Checkers::on_restart(ServerId id, const Checkpoint& checkpoint) {
  reign_[id.value - 1].number += 1;
  on_restored(id, checkpoint);
}

void Checkers::on_restored(ServerId id, const Checkpoint& checkpoint) {
  if (foreign_[id.value - 1]) return;
  check_state(id, checkpoint);
  delivered_[id.value - 1] = checkpoint.count;
}

void Checkers::check_state(ServerId id, const Checkpoint& checkpoint) const {
  const std::size_t count = checkpoint.count;
  const bool known = count <= states_.size();
  if (!known || checkpoint != (count == 0 ? Checkpoint{} : states_[count - 1])) {
    throw Violation("state_is_f_of_history",
                    server(id) + " has a state of " + std::to_string(count) + " txns up to " +
                        to_string(checkpoint.at.zxid) + " that they do not make");
  }
}

// What is found is what was durable, or what is left of it.
void Checkers::on_recovered(ServerId id, const Durable& found, const Durable& held,
                            Medium medium) const {
  const auto fail = [&](const std::string& why) {
    throw Violation("recovery", server(id) + " finds " + to_string(found.history.last().zxid) +
                                    " where it had " + to_string(held.history.last().zxid) + ": " +
                                    why);
  };
  if (found.damaged) {
    if (medium == Medium::healthy && !held.damaged) fail("it is told to be damaged, and is not");
    for (auto txn = found.history.after(found.history.base().zxid); txn != found.history.end();
         ++txn) {
      check_known(*txn, "left on a damaged disk");
    }
    // What an earlier start had found void may count again, if that it is void is lost too.
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
      fail("it is damaged, and its epochs are greater than ever: accepted " +
           std::to_string(found.accepted_epoch.value) + ", current " +
           std::to_string(found.current_epoch.value));
    }
    if (*found.damaged > most) {
      fail("it claims to have had " + to_string(found.damaged->last_zxid) + " in epoch " +
           std::to_string(found.damaged->current_epoch.value) + ", which it never had");
    }
    return;
  }
  // Without any file it is as if it were new, and has no say either.
  if (medium == Medium::rotten && found.condition() == zab::Condition::blank) return;
  if (held.damaged) fail("its damage is forgotten");
  if (found.accepted_epoch != held.accepted_epoch ||
      found.accepted_leader != held.accepted_leader || found.current_epoch != held.current_epoch ||
      found.cluster != held.cluster || found.founded != held.founded ||
      found.history.last() != held.history.last()) {
    fail("that is neither all that was durable, nor told to be damaged; accepted " +
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

void Checkers::on_standing(ServerId id, const zab::RoleStatus& role_status) {
  Reign& reign = reign_[id.value - 1];
  reign.leader = id;
  if (role_status.role != zab::Role::leading) reign.number += 1;
  if (foreign_[id.value - 1] && role_status.serving) {
    throw Violation("foreign", server(id) + " serves");
  }
  if (role_status.role != zab::Role::leading || !role_status.serving) return;

  const auto [at, first] = established_.try_emplace(role_status.epoch, reign);
  if (at->second != reign) {
    throw Violation("leadership", server(id) + " established epoch " +
                                      std::to_string(role_status.epoch.value) + " after server " +
                                      to_string(at->second.leader));
  }
  if (first && !is_quorum(ensemble_, adopted_[role_status.epoch])) {
    throw Violation("sound_quorum", server(id) + " established epoch " +
                                        std::to_string(role_status.epoch.value) +
                                        ", which no quorum has adopted");
  }
}

void Checkers::on_broadcast(ServerId leader, const zab::Txn& txn) {
  const auto reign = established_.find(txn.zxid.epoch);
  if (reign == established_.end() || reign->second != reign_[leader.value - 1]) {
    throw Violation("leadership", server(leader) + " broadcasts " + to_string(txn.zxid) +
                                      " without having established that epoch");
  }
  const auto [at, first] =
      broadcasts_.try_emplace(txn.zxid.bits(), Broadcast{txn.hash, txn.payload});
  if (!first) throw Violation("equal_zxid_equal_hash", to_string(txn.zxid) + " is broadcast twice");
  if (txn.zxid.counter > 1) return;
  // A later epoch may be under way already, unknown to this leader.
  const auto earlier = std::ranges::partition_point(
      order_, [&](const zab::Txn& other) { return other.zxid.epoch < txn.zxid.epoch; });
  if (delivered_[leader.value - 1] != static_cast<std::size_t>(earlier - order_.begin())) {
    throw Violation("primary_integrity", server(leader) + " broadcasts " + to_string(txn.zxid) +
                                             " before it has delivered all of earlier epochs");
  }
}

// A learner that refuses a message gives its leader up, and says so in these words.
void Checkers::on_note(ServerId id, const std::string& note) const {
  if (note.find(" sent ") != std::string::npos) {
    throw Violation("message_legality", server(id) + ": " + note);
  }
}

void Checkers::on_leaving(const zab::State& sender, const zab::Envelope& envelope) {
  const ServerId from = sender.self;
  if (envelope.to == from && !std::holds_alternative<zab::AckEpoch>(envelope.message) &&
      !std::holds_alternative<zab::AckNewLeader>(envelope.message) &&
      !std::holds_alternative<zab::Ack>(envelope.message)) {
    throw Violation("message_legality",
                    server(from) + " tells itself " + to_string(envelope.message));
  }
  const Durable& disk = disks_[from.value - 1];
  const Promise promise{disk, from, envelope.to};
  if (!std::visit([&](const auto& m) { return promise.holds(m); }, envelope.message)) {
    throw Violation("promise_is_durable",
                    server(from) + " sends " + to_string(envelope.message) + " to " +
                        to_string(envelope.to) + ", and its disk has accepted " +
                        std::to_string(disk.accepted_epoch.value) + ", current " +
                        std::to_string(disk.current_epoch.value) + ", last " +
                        to_string(disk.history.last().zxid));
  }
  const bool is_ack = std::holds_alternative<zab::AckEpoch>(envelope.message) ||
                      std::holds_alternative<zab::AckNewLeader>(envelope.message) ||
                      std::holds_alternative<zab::Ack>(envelope.message);
  if (foreign_[from.value - 1] && is_ack && envelope.to != from) {
    throw Violation("foreign", server(from) + " sends " + to_string(envelope.message) + " to " +
                                   to_string(envelope.to));
  }
  if (const auto* m = std::get_if<zab::AckEpoch>(&envelope.message)) {
    Acceptance& acceptance = accepted_[{m->epoch, envelope.to}][from];
    acceptance.last = m->last;
    acceptance.current_epoch = m->current_epoch;
  }
  if (const auto* m = std::get_if<zab::NewLeader>(&envelope.message)) {
    on_new_leader(sender, envelope.to, m->epoch);
  }
}

void Checkers::on_new_leader(const zab::State& leader, ServerId learner, Epoch epoch) {
  const Reign& reign = reign_[leader.self.value - 1];
  const auto [at, first] = synchronized_.try_emplace(epoch, reign);
  if (at->second != reign) {
    throw Violation("leadership", server(leader.self) + " sends NEWLEADER " +
                                      std::to_string(epoch.value) + " after server " +
                                      to_string(at->second.leader));
  }
  if (first) check_mandate(leader.self, epoch);
  const zab::History& history = leader.durable.history;
  sent_[{epoch, learner}].push_back(is_voter(ensemble_, learner)
                                        ? history.last()
                                        : history.last_at_or_before(leader.last_committed));
}

// Who has promised to follow the leader into this epoch, and from where.
void Checkers::check_mandate(ServerId leader, Epoch epoch) {
  const auto& accepted = accepted_[{epoch, leader}];
  std::vector<ServerId> sound;
  std::vector<ServerId> unharmed;
  std::vector<ServerId> all;
  for (const auto& [id, acceptance] : accepted) {
    if (!is_voter(ensemble_, id) || !acceptance.last) continue;
    const auto own = accepted.find(leader);
    const bool is_level =
        own != accepted.end() && std::pair(acceptance.current_epoch, acceptance.last->zxid) <=
                                     std::pair(own->second.current_epoch, own->second.last->zxid);
    if (!is_level) continue;
    all.push_back(id);
    if (acceptance.condition == zab::Condition::sound) sound.push_back(id);
    if (acceptance.condition != zab::Condition::damaged) unharmed.push_back(id);
  }
  if (is_quorum(ensemble_, sound)) return;
  if (!founded_ && is_quorum(ensemble_, unharmed)) return totals_.count(Rare::founding);
  const bool whole = std::ranges::all_of(ensemble_.members(), [&](const zab::Member& member) {
    return !is_voter(ensemble_, member.id) || std::ranges::find(all, member.id) != all.end();
  });
  if (whole) return totals_.count(Rare::whole_mandate);
  throw Violation("sound_quorum", server(leader) + " leads epoch " + std::to_string(epoch.value) +
                                      " by the word of " + std::to_string(sound.size()) +
                                      " sound voters of " + std::to_string(all.size()));
}

void Checkers::check_known(const zab::Txn& txn, const char* where) const {
  const auto broadcast = broadcasts_.find(txn.zxid.bits());
  if (broadcast == broadcasts_.end()) {
    throw Violation("integrity", to_string(txn.zxid) + " " + where + " was never broadcast");
  }
  if (broadcast->second.hash != txn.hash || *broadcast->second.payload != *txn.payload) {
    throw Violation("equal_zxid_equal_hash",
                    to_string(txn.zxid) + " " + where + " is not what was broadcast");
  }
}

void Checkers::on_delivered(ServerId id, const zab::Txn& txn) {
  if (foreign_[id.value - 1]) throw Violation("foreign", server(id) + " delivers");
  const std::size_t index = delivered_[id.value - 1]++;
  if (index < order_.size()) {
    const zab::Txn& other = order_[index];
    if (other.point() == txn.point() && *other.payload == *txn.payload) return;
    throw Violation("agreement", server(id) + " delivers " + to_string(txn.zxid) +
                                     " where another delivered " + to_string(other.zxid));
  }

  check_known(txn, "delivered");
  const zab::Zxid last = order_.empty() ? zab::Zxid{} : order_.back().zxid;
  if (txn.zxid.epoch < last.epoch) {
    throw Violation("global_primary_order",
                    to_string(txn.zxid) + " is delivered after " + to_string(last));
  }
  if (!zab::may_follow(txn.zxid, last)) {
    throw Violation("local_primary_order",
                    to_string(txn.zxid) + " is delivered after " + to_string(last));
  }
  // Nobody serves in an epoch before it has delivered all of its initial history. (The step that
  // establishes an epoch delivers first and then says that it serves.)
  if (!established_.empty() && txn.zxid.epoch < established_.rbegin()->first) {
    throw Violation("primary_integrity", to_string(txn.zxid) + " is delivered first after epoch " +
                                             std::to_string(established_.rbegin()->first.value) +
                                             " was established");
  }
  std::vector<ServerId> holders;
  for (const zab::Member& member : ensemble_.members()) {
    if (held_ever(member.id.value - 1, txn.point())) holders.push_back(member.id);
  }
  if (!is_quorum(ensemble_, holders)) {
    throw Violation("commit_needs_a_quorum", to_string(txn.zxid) + " is delivered by " +
                                                 server(id) + " and on " +
                                                 std::to_string(holders.size()) + " disks");
  }
  order_.push_back(txn);
  states_.push_back((states_.empty() ? Checkpoint{} : states_.back()).after(txn));
  check_completeness();
}

// Of every quorum of sound voters the one with the greatest vote has all that was delivered. A
// server that has not must not be the greatest of any quorum: those whose votes are not above its
// own are none. Where the sound ones are too few, all voters together elect the greatest of all.
void Checkers::check_completeness() const {
  if (order_.empty()) return;
  const zab::Point last = order_.back().point();
  const auto vote = [&](ServerId id) {
    const Durable& disk = disks_[id.value - 1];
    return std::tuple(disk.current_epoch, disk.history.last().zxid, id);
  };
  std::vector<ServerId> sound;
  std::vector<ServerId> voters;
  zab::Claim claimed{};
  for (const zab::Member& member : ensemble_.members()) {
    if (!is_voter(ensemble_, member.id) || foreign_[member.id.value - 1]) continue;
    const Durable& disk = disks_[member.id.value - 1];
    if (is_sound(member.id.value - 1)) sound.push_back(member.id);
    if (disk.damaged) {
      claimed = std::max(claimed, *disk.damaged);
    } else {
      voters.push_back(member.id);
    }
  }
  const bool by_sound = is_quorum(ensemble_, sound);
  if (!by_sound && !founded_) return;
  for (const ServerId id : by_sound ? sound : voters) {
    if (holds(disks_[id.value - 1], last)) continue;
    std::vector<ServerId> below;
    for (const ServerId other : by_sound ? sound : voters) {
      if (vote(other) <= vote(id)) below.push_back(other);
    }
    const Durable& disk = disks_[id.value - 1];
    const bool wins = by_sound
                          ? is_quorum(ensemble_, below)
                          : below.size() == voters.size() &&
                                claimed <= zab::Claim{disk.current_epoch, disk.history.last().zxid};
    if (wins) {
      throw Violation("leader_completeness",
                      server(id) + " could be elected without " + to_string(last.zxid));
    }
  }
}

Checkers::Before Checkers::before_write(ServerId id) const {
  const Durable& disk = disks_[id.value - 1];
  return {disk.accepted_epoch, disk.accepted_leader,
          disk.current_epoch,  disk.condition(),
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
    accepted_[{accept->epoch, accept->leader}][id].condition = before.condition;
  }
  if (std::holds_alternative<zab::MarkFounded>(persist)) {
    if (founded_ && *founded_ != disk.cluster) {
      throw Violation("foreign", server(id) + " knows of a second cluster");
    }
    look_for_founding();
  }
  const bool other_leader = disk.accepted_epoch == before.accepted_epoch &&
                            disk.accepted_leader != before.accepted_leader;
  if (other_leader || disk.accepted_epoch < before.accepted_epoch ||
      disk.current_epoch < before.current_epoch || disk.current_epoch > disk.accepted_epoch ||
      disk.history.last().zxid.epoch > disk.current_epoch) {
    throw Violation("epoch_monotonicity", server(id) + " wrote: " + to_string(persist));
  }
  if (before.held_all_delivered && !order_.empty() && !holds(disk, order_.back().point())) {
    throw Violation("truncation_safety", server(id) + " removed " + to_string(order_.back().zxid) +
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
  if (before.condition == zab::Condition::damaged) totals_.count(Rare::damaged_repaired);
  if (before.condition == zab::Condition::blank && founded_) totals_.count(Rare::wiped_repaired);
  if (disk.accepted_leader == id) return;
  const std::vector<zab::Point>& sent = sent_[{adopted.epoch, id}];
  if (std::ranges::find(sent, disk.history.last()) == sent.end()) {
    throw Violation("sync_result", server(id) + " adopts a history up to " +
                                       to_string(disk.history.last().zxid) +
                                       " that its leader did not send");
  }
}

bool Checkers::ever_adopted(ServerId id, Epoch epoch) const {
  const auto adopted = adopted_.find(epoch);
  return adopted != adopted_.end() &&
         std::ranges::find(adopted->second, id) != adopted->second.end();
}

void Checkers::look_for_founding() {
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

void Checkers::on_quiet(const zab::State& state) const {
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
                  server(state.self) + " has " + to_string(memory.history.last().zxid) +
                      " in memory and " + to_string(disk.history.last().zxid) +
                      " on disk, current epochs " + std::to_string(memory.current_epoch.value) +
                      " and " + std::to_string(disk.current_epoch.value));
}

void Checkers::on_confirmation_asked(std::uint64_t token) { asked_[token] = order_.size(); }

void Checkers::on_confirmed(const zab::Confirmed& confirmed) const {
  const std::size_t delivered = asked_.at(confirmed.token);
  if (delivered > 0 && order_[delivered - 1].zxid > confirmed.committed) {
    throw Violation("confirmed_leadership",
                    "a leader is confirmed at " + to_string(confirmed.committed) + " when " +
                        to_string(order_[delivered - 1].zxid) + " was delivered already");
  }
}

}  // namespace sim
