#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "zab/peer.h"

// Which voters can elect a leader: three voters in several conditions, all with a vote for server
// 3. The result is checked on server 3 and on the voters that elect it.
namespace {

using zab::Claim;
using zab::DiskState;
using zab::Role;
using zab::ServerId;

struct Voter {
  DiskState disk_state = DiskState::sound;
  Claim claim{};
  bool founded = true;  // it knows that a quorum has its cluster id
};
constexpr zab::ClusterId voters_cluster{7, 7};
using MaybeVoter = std::optional<Voter>;

const MaybeVoter absent;
const MaybeVoter sound{Voter{}};
const MaybeVoter blank{Voter{DiskState::blank, {}, false}};
// It adopted an epoch, and does not know that the epoch was established.
const MaybeVoter unfounded{Voter{DiskState::sound, {}, false}};
// If server 3 is sound, it is at epoch 2 and has 2:5.
const MaybeVoter damaged{Voter{DiskState::damaged, {{2}, {{2}, 5}}}};
const MaybeVoter damaged_and_had_more{Voter{DiskState::damaged, {{2}, {{2}, 6}}}};
const MaybeVoter damaged_and_had_a_later_epoch{Voter{DiskState::damaged, {{3}, {{1}, 1}}}};
const MaybeVoter damaged_and_had_nothing{Voter{DiskState::damaged, {}}};

zab::Vote vote_for_three(const MaybeVoter& three) {
  if (three->disk_state == DiskState::blank) return {{}, {}, {3}};
  if (!three->founded) return {{2}, {}, {3}};
  return {{2}, {{2}, 5}, {3}};
}

zab::Durable disk(const Voter& voter, bool is_three) {
  zab::Durable disk;
  if (voter.disk_state == DiskState::blank) return disk;
  disk.accepted_epoch = {2};
  disk.accepted_leader = {3};
  disk.current_epoch = {2};
  disk.cluster = voters_cluster;
  disk.founded = voter.founded;
  if (!voter.founded) return disk;
  const std::uint64_t counter = is_three && voter.disk_state == DiskState::sound ? 5 : 4;
  disk.history = zab::History({{{2}, counter}, {9, 9}});
  disk.applied = disk.history.base().zxid;
  if (voter.disk_state == DiskState::damaged) disk.damaged = voter.claim;
  return disk;
}

// The role status of `self` after it received the votes of the others, and waited for better ones.
zab::RoleStatus status_after_election(std::uint32_t self, const std::vector<MaybeVoter>& voters) {
  const zab::PeerLimits limits{.settle_ticks = 2, .founding_ticks = 3};
  zab::Peer peer({self}, zab::Ensemble({{.id = {1}}, {.id = {2}}, {.id = {3}}}), limits,
                 disk(*voters[self - 1], self == 3), {1, self});
  static_cast<void>(peer.start());
  for (std::uint32_t id = 1; id <= 3; ++id) {
    const MaybeVoter& voter = voters[id - 1];
    if (id == self || !voter) continue;
    static_cast<void>(peer.step(zab::LinkUp{{id}}));
  }
  for (std::uint32_t id = 1; id <= 3; ++id) {
    const MaybeVoter& voter = voters[id - 1];
    if (id == self || !voter) continue;
    static_cast<void>(peer.step(zab::Received{
        {id},
        zab::Notification{.role = Role::looking,
                          .round = 1,
                          .vote = vote_for_three(voters[2]),
                          .disk_state = voter->disk_state,
                          .claim = voter->claim,
                          .cluster = voter->founded ? voters_cluster : zab::ClusterId{}}}));
  }
  for (int i = 0; i < 4; ++i) static_cast<void>(peer.step(zab::Tick{}));
  return peer.role_status();
}

}  // namespace

TEST_CASE("a leader is elected by a sound quorum, a founding quorum, or all voters") {
  struct Row {
    const char* voters;
    MaybeVoter one, two, three;
    bool elected;
  };
  for (const Row& row : {
           // A quorum of sound voters, and others.
           Row{"two of three", absent, sound, sound, true},
           Row{"all", sound, sound, sound, true},
           Row{"two, and a wiped one", blank, sound, sound, true},
           Row{"two, and a damaged one", damaged, sound, sound, true},
           Row{"two: the transactions that only the third had were never committed",
               damaged_and_had_more, sound, sound, true},
           Row{"one of three", absent, absent, sound, false},
           // A quorum in which some have forgotten their promises.
           Row{"one and a wiped one", blank, absent, sound, false},
           Row{"one and a damaged one", damaged, absent, sound, false},
           // All voters: no other server can know more.
           Row{"one and two wiped ones", blank, blank, sound, true},
           Row{"one, a wiped and a damaged one", blank, damaged, sound, true},
           Row{"one and two damaged ones", damaged, damaged, sound, true},
           Row{"one, and a damaged one that had more", damaged_and_had_more, damaged, sound, false},
           Row{"one, and a damaged one that was in a later epoch", blank,
               damaged_and_had_a_later_epoch, sound, false},
           // Votes for the candidate's history before it was damaged.
           Row{"all, for a server that is damaged now", sound, sound, damaged, false},
           // A new ensemble.
           Row{"two of three, all blank", absent, blank, blank, true},
           Row{"three, all blank", blank, blank, blank, true},
           Row{"one, blank", absent, absent, blank, false},
           Row{"a founding that reached one disk", blank, absent, unfounded, true},
           Row{"a founding that reached another disk", unfounded, absent, sound, true},
           Row{"two blank, and one that lost its promises only", damaged_and_had_nothing, blank,
               blank, true},
           Row{"one blank, and one that lost its promises only", damaged_and_had_nothing, absent,
               blank, false},
           Row{"two blank, and one that was part of an ensemble", damaged, blank, blank, false},
       }) {
    CAPTURE(row.voters);
    const std::vector<MaybeVoter> voters{row.one, row.two, row.three};
    const zab::RoleStatus three = status_after_election(3, voters);
    CHECK(three.role == (row.elected ? Role::leading : Role::looking));
    for (const std::uint32_t voter : {1u, 2u}) {
      CAPTURE(voter);
      // Only the candidate itself knows that the votes are for its former history.
      if (!voters[voter - 1] || row.three->disk_state == DiskState::damaged) continue;
      const zab::RoleStatus status = status_after_election(voter, voters);
      CHECK(status.role == (row.elected ? Role::following : Role::looking));
      CHECK(status.leader == (row.elected ? ServerId{3} : ServerId{}));
    }
  }
}
