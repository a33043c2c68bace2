#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/sim/checkpoint.h"
#include "tests/sim/totals.h"
#include "tests/sim/violation.h"
#include "zab/effects.h"
#include "zab/ensemble.h"
#include "zab/events.h"
#include "zab/state.h"

namespace sim {

// Sees everything that happens on all servers and disks, and throws a Violation as soon as one of
// Zab's properties does not hold. The names are those of the specification, if it has one:
//   leadership            at most one server establishes an epoch, or sends NEWLEADER of it
//   integrity             every delivered txn was broadcast by the primary of its epoch
//   agreement             all servers deliver the same sequence, or a prefix of it
//   local_primary_order   txns of one epoch are delivered as broadcast: 1, 2, 3 ...
//   global_primary_order  epochs never go back
//   primary_integrity     a leader has delivered everything delivered before its epoch, and no txn
//                         of an earlier epoch is delivered afterwards
//   equal_zxid_equal_hash on all disks and in all broadcasts
//   promise_is_durable    the sender of a promise has it on its disk
//   commit_needs_a_quorum every delivered txn is on the disks of a quorum
//   leader_completeness   every server that could win an election now has all delivered txns
//   truncation_safety     no delivered txn is removed from a disk
//   epoch_monotonicity    on every disk: accepted >= current >= epoch of the last zxid; none falls
//   message_legality      no peer receives a message that it must refuse, even if messages are
//                         lost; a peer sends only acks to itself
//   confirmed_leadership  a confirmed leader knows all txns that were delivered before the request
//   sound_quorum          an epoch begins with the promises of a quorum of sound voters, or of
//                         blank ones before there is a cluster, or of all voters
//   initial_history       no voter of that quorum has a more recent history than the leader
//   sync_result           a learner adopts exactly the leader's history as of NEWLEADER
//   state_is_f_of_history every checkpoint and snapshot is the result of the txns up to it
//   recovery              every promise is there after a crash; or the server knows that its disk
//                         is damaged, and has an earlier state
//   memory_is_disk        a server without outstanding writes knows exactly the content of its disk
//   foreign               a server of another cluster does not serve and does not send acks
class Checkers {
 public:
  // Whether a disk has this txn, in its log or its checkpoint.
  [[nodiscard]] static bool holds(const zab::Durable& disk, zab::Point point) {
    return point.zxid < disk.history.base().zxid || disk.history.contains(point);
  }

  // `disks[i]` must always be the durable state of the server with id i + 1.
  Checkers(const zab::Ensemble& ensemble, const std::vector<zab::Durable>& disks, Totals& totals)
      : ensemble_(ensemble),
        disks_(disks),
        totals_(totals),
        delivered_(disks.size()),
        leadership_(disks.size()),
        lost_(disks.size()),
        foreign_(disks.size()) {}

  // The server's state is now that of `checkpoint`.
  void on_restart(zab::ServerId server, const Checkpoint& checkpoint);
  void on_restored(zab::ServerId server, const Checkpoint& checkpoint);
  // `found` is the state that a server recovered, `held` the durable state before. A rotten disk
  // may have lost a part of it.
  enum class Medium : std::uint8_t { healthy, rotten };
  void on_recovered(zab::ServerId server, const zab::Durable& found, const zab::Durable& held,
                    Medium medium) const;
  // The disk has lost this state.
  void on_disk_lost(zab::ServerId server, const zab::Durable& held);
  void on_foreign(zab::ServerId server, bool foreign) { foreign_[server.value - 1] = foreign; }
  void on_role_status(zab::ServerId server, const zab::RoleStatus& role_status);
  void on_broadcast(zab::ServerId leader, const zab::Txn& txn);
  void on_note(zab::ServerId server, const zab::Note& note) const;
  // Called just before a message is sent; `sender` is the state at that time.
  void on_sent(const zab::State& sender, const zab::Envelope& envelope);
  void on_delivered(zab::ServerId server, const zab::Txn& txn);
  // The state of a disk before a write.
  struct Before {
    zab::Epoch accepted_epoch;
    zab::ServerId accepted_leader;
    zab::Epoch current_epoch;
    zab::DiskState disk_state;
    zab::Point last;
    bool held_all_delivered;
  };
  [[nodiscard]] Before before_write(zab::ServerId server) const;
  void on_written(zab::ServerId server, const zab::Persist& persist, const Before& before);

  // The server has no outstanding writes.
  void on_disk_idle(const zab::State& state) const;

  void on_confirmation_asked(std::uint64_t token);
  void on_confirmed(const zab::Confirmed& confirmed) const;

  // All delivered txns, in order.
  [[nodiscard]] const std::vector<zab::Txn>& order() const { return order_; }
  // How many of them this server has delivered.
  [[nodiscard]] std::size_t delivered(zab::ServerId server) const {
    return delivered_[server.value - 1];
  }
  // Whether this server has ever adopted that epoch.
  [[nodiscard]] bool ever_adopted(zab::ServerId server, zab::Epoch epoch) const;
  // Whether all voters have once known at the same time that the cluster is founded.
  [[nodiscard]] bool founded() const { return founded_.has_value(); }
  [[nodiscard]] std::size_t epochs_established() const { return established_.size(); }

 private:
  struct Broadcast {
    zab::ChainHash hash;
    zab::Payload payload;
  };
  // One continuous lead of a server.
  struct Leadership {
    zab::ServerId leader;
    std::uint64_t number = 0;  // rises with every role change and restart of the leader

    bool operator==(const Leadership&) const = default;
  };

  // A voter's promise to the leader of an epoch.
  struct Acceptance {
    zab::DiskState disk_state{};     // at the time of the promise
    std::optional<zab::Point> last;  // as in its ACKEPOCH
    zab::Epoch current_epoch;        // as in its ACKEPOCH
  };

  [[nodiscard]] bool is_sound(std::size_t disk) const {
    return disks_[disk].disk_state() == zab::DiskState::sound && !foreign_[disk];
  }
  [[nodiscard]] bool held_ever(std::size_t disk, zab::Point point) const;
  void on_new_leader(const zab::State& leader, zab::ServerId learner, zab::Epoch epoch);
  void check_election_basis(zab::ServerId leader, zab::Epoch epoch);
  void check_adoption(zab::ServerId server, const zab::AdoptHistory& adopted, const Before& before);
  void check_state(zab::ServerId server, const Checkpoint& checkpoint) const;
  void update_founded();
  void check_known(const zab::Txn& txn, const char* where) const;
  void check_completeness() const;

  const zab::Ensemble& ensemble_;
  const std::vector<zab::Durable>& disks_;
  Totals& totals_;
  std::vector<zab::Txn> order_;
  std::vector<Checkpoint> states_;  // after each txn of order_
  std::vector<std::size_t> delivered_;
  std::vector<Leadership> leadership_;
  std::vector<std::vector<zab::Durable>> lost_;  // states that each disk has lost
  std::vector<bool> foreign_;
  std::optional<zab::ClusterId> founded_;
  std::map<std::pair<zab::Epoch, zab::ServerId>, std::map<zab::ServerId, Acceptance>> accepted_;
  std::map<zab::Epoch, std::vector<zab::ServerId>> adopted_;
  // By epoch and learner: the ends of the histories sent with NEWLEADER.
  std::map<std::pair<zab::Epoch, zab::ServerId>, std::vector<zab::Point>> sent_;
  std::unordered_map<std::uint64_t, Broadcast> broadcasts_;  // by zxid
  std::map<zab::Epoch, Leadership> synchronized_;            // the sender of NEWLEADER
  std::map<zab::Epoch, Leadership> established_;
  // By token: the number of txns delivered at the time of the request.
  std::unordered_map<std::uint64_t, std::size_t> asked_;
};

}  // namespace sim
