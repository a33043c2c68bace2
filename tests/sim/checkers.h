#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "zab/effects.h"
#include "zab/ensemble.h"
#include "zab/events.h"
#include "zab/state.h"

namespace sim {

// An invariant that does not hold, by its name.
struct Violation : std::runtime_error {
  Violation(std::string name, const std::string& what)
      : std::runtime_error(name + ": " + what), invariant(std::move(name)) {}

  std::string invariant;
};

// Sees everything that happens, on every server and every disk at once, and throws a Violation as
// soon as one of Zab's properties does not hold. Names as in the specification where it has one:
//   leadership            at most one server establishes an epoch, or sends NEWLEADER of it
//   integrity             what is delivered was broadcast by the primary of its epoch
//   agreement             all deliver the same sequence: each server's is a prefix of the longest
//   local_primary_order   of one epoch: 1, 2, 3 ... as broadcast
//   global_primary_order  epochs never go back
//   primary_integrity     a leader has delivered all that was delivered before its epoch, and
//                         nothing of an earlier epoch is delivered afterwards
//   equal_zxid_equal_hash on every disk and in every broadcast
//   promise_is_durable    whoever says it, holds it on disk
//   commit_needs_a_quorum what is delivered is on the disks of a quorum
//   leader_completeness   whoever could win an election now has everything delivered on its disk
//   truncation_safety     nothing delivered is removed from a disk
//   epoch_monotonicity    on every disk: accepted >= current >= that of the last zxid; none sinks
//   message_legality      no peer gets what it must refuse, whatever gets lost; to itself it only
//   acks confirmed_leadership  a confirmed leader knows all that anybody had delivered when it was
//   asked
class Checkers {
 public:
  // `disks[i]` is what the server with id i + 1 holds durably at any time.
  Checkers(const zab::Ensemble& ensemble, const std::vector<zab::Durable>& disks)
      : ensemble_(ensemble), disks_(disks), delivered_(disks.size()), reign_(disks.size()) {}

  void on_restart(zab::ServerId server);
  void on_standing(zab::ServerId server, const zab::Standing& standing);
  void on_broadcast(zab::ServerId leader, const zab::Txn& txn);
  void on_note(zab::ServerId server, const std::string& note) const;
  // Just before it leaves.
  void on_leaving(zab::ServerId from, const zab::Envelope& envelope);
  void on_delivered(zab::ServerId server, const zab::Txn& txn);
  // `disks[i]` has changed from `before` in these respects.
  struct Before {
    zab::Epoch accepted_epoch;
    zab::Epoch current_epoch;
    bool held_all_delivered;
  };
  [[nodiscard]] Before before_write(zab::ServerId server) const;
  void on_written(zab::ServerId server, const zab::Persist& persist, const Before& before);

  void on_confirmation_asked(std::uint64_t token);
  void on_confirmed(const zab::Confirmed& confirmed) const;

  // All that anybody has delivered, in order.
  [[nodiscard]] const std::vector<zab::Txn>& order() const { return order_; }
  // How much of it this server has, since it started.
  [[nodiscard]] std::size_t delivered(zab::ServerId server) const {
    return delivered_[server.value - 1];
  }
  [[nodiscard]] std::size_t epochs_established() const { return established_.size(); }

 private:
  struct Broadcast {
    zab::ChainHash hash;
    zab::Payload payload;
  };
  struct Reign {
    zab::ServerId leader;
    std::uint64_t number = 0;  // of the leader's reigns and lives

    bool operator==(const Reign&) const = default;
  };

  [[nodiscard]] bool holds(std::size_t disk, zab::Point point) const {
    return disks_[disk].history.contains(point);
  }
  void check_known(const zab::Txn& txn, const char* where) const;
  void check_completeness() const;

  const zab::Ensemble& ensemble_;
  const std::vector<zab::Durable>& disks_;
  std::vector<zab::Txn> order_;
  std::vector<std::size_t> delivered_;
  std::vector<Reign> reign_;
  std::unordered_map<std::uint64_t, Broadcast> broadcasts_;  // by zxid
  std::map<zab::Epoch, Reign> synchronized_;                 // who sent NEWLEADER
  std::map<zab::Epoch, Reign> established_;
  std::unordered_map<std::uint64_t, std::size_t> asked_;  // what was delivered then
};

}  // namespace sim
