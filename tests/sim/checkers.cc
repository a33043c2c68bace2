#include "tests/sim/checkers.h"

#include <algorithm>
#include <tuple>
#include <variant>

#include "tests/sim/event_text.h"
#include "tests/sim/quorum.h"
#include "zab/print.h"

namespace sim {
namespace {

using wire::to_string;
using zab::Durable;
using zab::Epoch;
using zab::ServerId;
using zab::to_string;

// The promise of a message about its sender's disk; most messages promise nothing.
struct Promise {
  const Durable& disk;
  ServerId self;
  ServerId to;

  [[nodiscard]] bool holds(const zab::Notification& m) const {
    if (m.disk_state == zab::DiskState::sound && disk.disk_state() != m.disk_state) return false;
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
  leadership_[id.value - 1].number += 1;
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
                    name_of(id) + " has a state of " + std::to_string(count) + " txns up to " +
                        to_string(checkpoint.at.zxid) + " that is not their result");
  }
}

void Checkers::on_role_status(ServerId id, const zab::RoleStatus& role_status) {
  Leadership& leadership = leadership_[id.value - 1];
  leadership.leader = id;
  if (role_status.role != zab::Role::leading) leadership.number += 1;
  if (foreign_[id.value - 1] && role_status.serving) {
    throw Violation("foreign", name_of(id) + " serves");
  }
  if (role_status.role != zab::Role::leading || !role_status.serving) return;

  const auto [at, first] = established_.try_emplace(role_status.epoch, leadership);
  if (at->second != leadership) {
    throw Violation("leadership", name_of(id) + " established epoch " +
                                      std::to_string(role_status.epoch.value) + " after server " +
                                      to_string(at->second.leader));
  }
  if (first && !is_quorum(ensemble_, adopted_[role_status.epoch])) {
    throw Violation("sound_quorum", name_of(id) + " established epoch " +
                                        std::to_string(role_status.epoch.value) +
                                        ", which no quorum has adopted");
  }
}

void Checkers::on_broadcast(ServerId leader, const zab::Txn& txn) {
  const auto leadership = established_.find(txn.zxid.epoch);
  if (leadership == established_.end() || leadership->second != leadership_[leader.value - 1]) {
    throw Violation("leadership", name_of(leader) + " broadcasts " + to_string(txn.zxid) +
                                      " without having established that epoch");
  }
  const auto [at, first] =
      broadcasts_.try_emplace(txn.zxid.bits(), Broadcast{txn.hash, txn.payload});
  if (!first) throw Violation("equal_zxid_equal_hash", to_string(txn.zxid) + " is broadcast twice");
  if (txn.zxid.counter > 1) return;
  // A later epoch may have begun already, unknown to this leader.
  const auto earlier = std::ranges::partition_point(
      order_, [&](const zab::Txn& other) { return other.zxid.epoch < txn.zxid.epoch; });
  if (delivered_[leader.value - 1] != static_cast<std::size_t>(earlier - order_.begin())) {
    throw Violation("primary_integrity", name_of(leader) + " broadcasts " + to_string(txn.zxid) +
                                             " before it has delivered all txns of earlier epochs");
  }
}

void Checkers::on_note(ServerId id, const zab::Note& note) const {
  if (note.kind == zab::Note::Kind::protocol_error) {
    throw Violation("message_legality", name_of(id) + ": " + note.text);
  }
}

void Checkers::on_sent(const zab::State& sender, const zab::Envelope& envelope) {
  const ServerId from = sender.self;
  if (envelope.to == from && !std::holds_alternative<zab::AckEpoch>(envelope.message) &&
      !std::holds_alternative<zab::AckNewLeader>(envelope.message) &&
      !std::holds_alternative<zab::Ack>(envelope.message)) {
    throw Violation("message_legality",
                    name_of(from) + " sends to itself " + to_string(envelope.message));
  }
  const Durable& disk = disks_[from.value - 1];
  const Promise promise{disk, from, envelope.to};
  if (!std::visit([&](const auto& m) { return promise.holds(m); }, envelope.message)) {
    throw Violation("promise_is_durable",
                    name_of(from) + " sends " + to_string(envelope.message) + " to " +
                        to_string(envelope.to) + ", and its disk has accepted " +
                        std::to_string(disk.accepted_epoch.value) + ", current " +
                        std::to_string(disk.current_epoch.value) + ", last " +
                        to_string(disk.history.last().zxid));
  }
  const bool is_ack = std::holds_alternative<zab::AckEpoch>(envelope.message) ||
                      std::holds_alternative<zab::AckNewLeader>(envelope.message) ||
                      std::holds_alternative<zab::Ack>(envelope.message);
  if (foreign_[from.value - 1] && is_ack && envelope.to != from) {
    throw Violation("foreign", name_of(from) + " sends " + to_string(envelope.message) + " to " +
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
  const Leadership& leadership = leadership_[leader.self.value - 1];
  const auto [at, first] = synchronized_.try_emplace(epoch, leadership);
  if (at->second != leadership) {
    throw Violation("leadership", name_of(leader.self) + " sends NEWLEADER " +
                                      std::to_string(epoch.value) + " after server " +
                                      to_string(at->second.leader));
  }
  if (first) check_election_basis(leader.self, epoch);
  const zab::History& history = leader.durable.history;
  sent_[{epoch, learner}].push_back(is_voter(ensemble_, learner)
                                        ? history.last()
                                        : history.last_at_or_before(leader.last_committed));
}

// Checks the voters that have promised to follow the leader in this epoch, and their histories.
void Checkers::check_election_basis(ServerId leader, Epoch epoch) {
  const auto& accepted = accepted_[{epoch, leader}];
  std::vector<ServerId> sound;
  std::vector<ServerId> undamaged;
  std::vector<ServerId> all;
  for (const auto& [id, acceptance] : accepted) {
    if (!is_voter(ensemble_, id) || !acceptance.last) continue;
    const auto own = accepted.find(leader);
    const bool is_covered =
        own != accepted.end() && std::pair(acceptance.current_epoch, acceptance.last->zxid) <=
                                     std::pair(own->second.current_epoch, own->second.last->zxid);
    if (!is_covered) continue;
    all.push_back(id);
    if (acceptance.disk_state == zab::DiskState::sound) sound.push_back(id);
    if (acceptance.disk_state != zab::DiskState::damaged) undamaged.push_back(id);
  }
  if (is_quorum(ensemble_, sound)) return;
  if (!founded_ && is_quorum(ensemble_, undamaged)) return totals_.count(Rare::founding);
  const bool unanimous = std::ranges::all_of(ensemble_.members(), [&](const zab::Member& member) {
    return !is_voter(ensemble_, member.id) || std::ranges::find(all, member.id) != all.end();
  });
  if (unanimous) return totals_.count(Rare::unanimous_election);
  throw Violation("sound_quorum", name_of(leader) + " leads epoch " + std::to_string(epoch.value) +
                                      " by the promises of " + std::to_string(sound.size()) +
                                      " sound voters of " + std::to_string(all.size()));
}

void Checkers::check_known(const zab::Txn& txn, const char* where) const {
  const auto broadcast = broadcasts_.find(txn.zxid.bits());
  if (broadcast == broadcasts_.end()) {
    throw Violation("integrity", to_string(txn.zxid) + " " + where + " was never broadcast");
  }
  if (broadcast->second.hash != txn.hash || *broadcast->second.payload != *txn.payload) {
    throw Violation("equal_zxid_equal_hash",
                    to_string(txn.zxid) + " " + where + " differs from the broadcast");
  }
}

void Checkers::on_delivered(ServerId id, const zab::Txn& txn) {
  if (foreign_[id.value - 1]) throw Violation("foreign", name_of(id) + " delivers");
  const std::size_t index = delivered_[id.value - 1]++;
  if (index < order_.size()) {
    const zab::Txn& other = order_[index];
    if (other.point() == txn.point() && *other.payload == *txn.payload) return;
    throw Violation("agreement", name_of(id) + " delivers " + to_string(txn.zxid) +
                                     " where another server delivered " + to_string(other.zxid));
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
  // A server serves in an epoch only after it has delivered the whole initial history. (In the step
  // that establishes an epoch, deliveries are checked before the role status.)
  if (!established_.empty() && txn.zxid.epoch < established_.rbegin()->first) {
    throw Violation("primary_integrity", to_string(txn.zxid) + " is first delivered after epoch " +
                                             std::to_string(established_.rbegin()->first.value) +
                                             " was established");
  }
  std::vector<ServerId> holders;
  for (const zab::Member& member : ensemble_.members()) {
    if (held_ever(member.id.value - 1, txn.point())) holders.push_back(member.id);
  }
  if (!is_quorum(ensemble_, holders)) {
    throw Violation("commit_needs_a_quorum", to_string(txn.zxid) + " is delivered by " +
                                                 name_of(id) + " and on " +
                                                 std::to_string(holders.size()) + " disks");
  }
  order_.push_back(txn);
  states_.push_back((states_.empty() ? Checkpoint{} : states_.back()).after(txn));
  check_completeness();
}

// In every quorum of sound voters, the server with the greatest vote must have all delivered txns.
// So for a server that lacks one, the voters whose votes are not above its own must not be a
// quorum. If there are too few sound voters, all voters together elect the server with the greatest
// vote.
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
                      name_of(id) + " could be elected without " + to_string(last.zxid));
    }
  }
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
