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
//                         acks
//   confirmed_leadership  a confirmed leader knows all that anybody had delivered when it was asked
//   sound_quorum          an epoch begins by the promises of a quorum of sound voters, or of blank
//                         ones before there is a cluster, or of every voter
//   initial_history       nobody in that quorum has a more recent history than the leader
//   sync_result           what is adopted is the leader's history as of NEWLEADER, and nothing else
//   state_is_f_of_history every checkpoint and snapshot is what the order up to it makes
//   recovery              what was promised is there after a crash; or it is told to be damaged,
//   and
//                         what is left is an earlier state of it
//   memory_is_disk        a server that waits for no write knows exactly what its disk holds
//   foreign               a server of another cluster serves nobody and acknowledges nothing
class Checkers {
 public:
  // Whether a disk has this txn, be it in a checkpoint.
  [[nodiscard]] static bool holds(const zab::Durable& disk, zab::Point point) {
    return point.zxid < disk.history.base().zxid || disk.history.contains(point);
  }

  // `disks[i]` is what the server with id i + 1 holds durably at any time.
  Checkers(const zab::Ensemble& ensemble, const std::vector<zab::Durable>& disks, Totals& totals)
      : ensemble_(ensemble),
        disks_(disks),
        totals_(totals),
        delivered_(disks.size()),
        reign_(disks.size()),
        lost_(disks.size()),
        foreign_(disks.size()) {}

  // Its state is now that of `checkpoint`.
  void on_restart(zab::ServerId server, const Checkpoint& checkpoint);
  void on_restored(zab::ServerId server, const Checkpoint& checkpoint);
  // What a server found when it started, and what its disk held before; a rotten one may have lost
  // something.
  enum class Medium : std::uint8_t { healthy, rotten };
  void on_recovered(zab::ServerId server, const zab::Durable& found, const zab::Durable& held,
                    Medium medium) const;
  // The disk had this, and has it no more.
  void on_disk_lost(zab::ServerId server, const zab::Durable& held);
  void on_foreign(zab::ServerId server, bool foreign) { foreign_[server.value - 1] = foreign; }
  void on_standing(zab::ServerId server, const zab::RoleStatus& role_status);
  void on_broadcast(zab::ServerId leader, const zab::Txn& txn);
  void on_note(zab::ServerId server, const std::string& note) const;
  // Just before it leaves; `sender` as it is then.
  void on_leaving(const zab::State& sender, const zab::Envelope& envelope);
  void on_delivered(zab::ServerId server, const zab::Txn& txn);
  // `disks[i]` has changed from `before` in these respects.
  struct Before {
    zab::Epoch accepted_epoch;
    zab::ServerId accepted_leader;
    zab::Epoch current_epoch;
    zab::Condition condition;
    zab::Point last;
    bool held_all_delivered;
  };
  [[nodiscard]] Before before_write(zab::ServerId server) const;
  void on_written(zab::ServerId server, const zab::Persist& persist, const Before& before);

  // Nothing of this server waits for its disk.
  void on_quiet(const zab::State& state) const;

  void on_confirmation_asked(std::uint64_t token);
  void on_confirmed(const zab::Confirmed& confirmed) const;

  // All that anybody has delivered, in order.
  [[nodiscard]] const std::vector<zab::Txn>& order() const { return order_; }
  // How much of it this server has, since it started.
  [[nodiscard]] std::size_t delivered(zab::ServerId server) const {
    return delivered_[server.value - 1];
  }
  // Whether this server was ever brought into that epoch.
  [[nodiscard]] bool ever_adopted(zab::ServerId server, zab::Epoch epoch) const;
  // Whether every voter has once known that the cluster is founded.
  [[nodiscard]] bool founded() const { return founded_.has_value(); }
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

  // A voter's promise to the leader of an epoch.
  struct Acceptance {
    zab::Condition condition{};      // when it gave it
    std::optional<zab::Point> last;  // as it said
    zab::Epoch current_epoch;        // likewise
  };

  [[nodiscard]] bool is_sound(std::size_t disk) const {
    return disks_[disk].condition() == zab::Condition::sound && !foreign_[disk];
  }
  [[nodiscard]] bool held_ever(std::size_t disk, zab::Point point) const;
  void on_new_leader(const zab::State& leader, zab::ServerId learner, zab::Epoch epoch);
  void check_mandate(zab::ServerId leader, zab::Epoch epoch);
  void check_adoption(zab::ServerId server, const zab::AdoptHistory& adopted, const Before& before);
  void check_state(zab::ServerId server, const Checkpoint& checkpoint) const;
  void look_for_founding();
  void check_known(const zab::Txn& txn, const char* where) const;
  void check_completeness() const;

  const zab::Ensemble& ensemble_;
  const std::vector<zab::Durable>& disks_;
  Totals& totals_;
  std::vector<zab::Txn> order_;
  std::vector<Checkpoint> states_;  // after each
  std::vector<std::size_t> delivered_;
  std::vector<Reign> reign_;
  std::vector<std::vector<zab::Durable>> lost_;  // what was on disks that were lost since
  std::vector<bool> foreign_;
  std::optional<zab::ClusterId> founded_;
  std::map<std::pair<zab::Epoch, zab::ServerId>, std::map<zab::ServerId, Acceptance>> accepted_;
  std::map<zab::Epoch, std::vector<zab::ServerId>> adopted_;
  std::map<std::pair<zab::Epoch, zab::ServerId>, std::vector<zab::Point>> sent_;  // with NEWLEADER
  std::unordered_map<std::uint64_t, Broadcast> broadcasts_;                       // by zxid
  std::map<zab::Epoch, Reign> synchronized_;  // who sent NEWLEADER
  std::map<zab::Epoch, Reign> established_;
  std::unordered_map<std::uint64_t, std::size_t> asked_;  // what was delivered then
};

}  // namespace sim
