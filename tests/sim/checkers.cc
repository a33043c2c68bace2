#include "tests/sim/checkers.h"

#include <algorithm>
#include <tuple>
#include <variant>

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
    if (m.stance != zab::Stance::looking || m.vote.leader != self) return true;
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
    return disk.current_epoch >= m.zxid.epoch && disk.history.contains(m.zxid);
  }
  template <typename Other>
  [[nodiscard]] bool holds(const Other&) const {
    return true;
  }
};

}  // namespace

void Checkers::on_restart(ServerId id) {
  delivered_[id.value - 1] = 0;
  reign_[id.value - 1].number += 1;
}

void Checkers::on_standing(ServerId id, const zab::Standing& standing) {
  Reign& reign = reign_[id.value - 1];
  reign.leader = id;
  if (standing.stance != zab::Stance::leading) reign.number += 1;
  if (standing.stance != zab::Stance::leading || !standing.serving) return;

  const auto [at, first] = established_.try_emplace(standing.epoch, reign);
  if (at->second != reign) {
    throw Violation("leadership", server(id) + " established epoch " +
                                      std::to_string(standing.epoch.value) + " after server " +
                                      to_string(at->second.leader));
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

void Checkers::on_leaving(ServerId from, const zab::Envelope& envelope) {
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
  if (const auto* m = std::get_if<zab::NewLeader>(&envelope.message)) {
    const Reign& reign = reign_[from.value - 1];
    const auto [at, first] = synchronized_.try_emplace(m->epoch, reign);
    if (at->second != reign) {
      throw Violation("leadership", server(from) + " sends NEWLEADER " +
                                        std::to_string(m->epoch.value) + " after server " +
                                        to_string(at->second.leader));
    }
  }
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
    if (holds(member.id.value - 1, txn.point())) holders.push_back(member.id);
  }
  if (!ensemble_.is_quorum(holders)) {
    throw Violation("commit_needs_a_quorum", to_string(txn.zxid) + " is delivered by " +
                                                 server(id) + " and on " +
                                                 std::to_string(holders.size()) + " disks");
  }
  order_.push_back(txn);
  check_completeness();
}

// Of every quorum the member with the greatest vote has all that was delivered. A server that has
// not must not be the greatest of any quorum: those whose votes are not above its own are none.
void Checkers::check_completeness() const {
  if (order_.empty()) return;
  const zab::Point last = order_.back().point();
  const auto vote = [&](ServerId id) {
    const Durable& disk = disks_[id.value - 1];
    return std::tuple(disk.current_epoch, disk.history.last().zxid, id);
  };
  for (const zab::Member& member : ensemble_.members()) {
    if (!ensemble_.is_voter(member.id) || holds(member.id.value - 1, last)) continue;
    std::vector<ServerId> below;
    for (const zab::Member& other : ensemble_.members()) {
      if (vote(other.id) <= vote(member.id)) below.push_back(other.id);
    }
    if (ensemble_.is_quorum(below)) {
      throw Violation("leader_completeness",
                      server(member.id) + " could be elected without " + to_string(last.zxid));
    }
  }
}

Checkers::Before Checkers::before_write(ServerId id) const {
  const Durable& disk = disks_[id.value - 1];
  return {disk.accepted_epoch, disk.current_epoch,
          order_.empty() || disk.history.contains(order_.back().point())};
}

void Checkers::on_written(ServerId id, const zab::Persist& persist, const Before& before) {
  const Durable& disk = disks_[id.value - 1];
  if (const auto* append = std::get_if<zab::Append>(&persist)) check_known(append->txn, "on disk");
  if (const auto* adopt = std::get_if<zab::AdoptHistory>(&persist)) {
    for (const zab::Txn& txn : adopt->txns) check_known(txn, "adopted");
  }
  if (disk.accepted_epoch < before.accepted_epoch || disk.current_epoch < before.current_epoch ||
      disk.current_epoch > disk.accepted_epoch ||
      disk.history.last().zxid.epoch > disk.current_epoch) {
    throw Violation("epoch_monotonicity", server(id) + " wrote: " + to_string(persist));
  }
  if (before.held_all_delivered && !order_.empty() &&
      !disk.history.contains(order_.back().point())) {
    throw Violation("truncation_safety", server(id) + " removed " + to_string(order_.back().zxid) +
                                             ": " + to_string(persist));
  }
  check_completeness();
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
