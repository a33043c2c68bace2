#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "zab/peer.h"

// Who may elect whom: three voters, all of whom would have server 3 lead, and what their words are
// worth. Told as server 3 sees it, and as one of those who elect it.
namespace {

using zab::Claim;
using zab::Condition;
using zab::Role;
using zab::ServerId;

struct Voter {
  Condition condition = Condition::sound;
  Claim claim{};
  bool founded = true;  // knows that a quorum has its cluster id
};
constexpr zab::ClusterId cluster{7, 7};
using Maybe = std::optional<Voter>;

const Maybe absent;
const Maybe sound{Voter{}};
const Maybe blank{Voter{Condition::blank, {}, false}};
// Adopted an epoch that it does not know to be established.
const Maybe unfounded{Voter{Condition::sound, {}, false}};
// Server 3, if it is sound, is at epoch 2 and has 2:5.
const Maybe damaged{Voter{Condition::damaged, {{2}, {{2}, 5}}}};
const Maybe damaged_and_had_more{Voter{Condition::damaged, {{2}, {{2}, 6}}}};
const Maybe damaged_and_had_a_later_epoch{Voter{Condition::damaged, {{3}, {{1}, 1}}}};
const Maybe damaged_and_had_nothing{Voter{Condition::damaged, {}}};

zab::Vote vote_for_three(const Maybe& three) {
  if (three->condition == Condition::blank) return {{}, {}, {3}};
  if (!three->founded) return {{2}, {}, {3}};
  return {{2}, {{2}, 5}, {3}};
}

zab::Durable disk(const Voter& voter, bool is_three) {
  zab::Durable disk;
  if (voter.condition == Condition::blank) return disk;
  disk.accepted_epoch = {2};
  disk.accepted_leader = {3};
  disk.current_epoch = {2};
  disk.cluster = cluster;
  disk.founded = voter.founded;
  if (!voter.founded) return disk;
  const std::uint64_t counter = is_three && voter.condition == Condition::sound ? 5 : 4;
  disk.history = zab::History({{{2}, counter}, {9, 9}});
  disk.applied = disk.history.base().zxid;
  if (voter.condition == Condition::damaged) disk.damaged = voter.claim;
  return disk;
}

// What becomes of `self` when it hears the votes of the others, and has waited for better ones.
zab::RoleStatus outcome(std::uint32_t self, const std::vector<Maybe>& voters) {
  const zab::PeerLimits limits{.settle = 2, .founding = 3};
  zab::Peer peer({self}, zab::Ensemble({{.id = {1}}, {.id = {2}}, {.id = {3}}}), limits,
                 disk(*voters[self - 1], self == 3), {1, self});
  static_cast<void>(peer.start());
  for (std::uint32_t id = 1; id <= 3; ++id) {
    const Maybe& voter = voters[id - 1];
    if (id == self || !voter) continue;
    static_cast<void>(peer.step(zab::LinkUp{{id}}));
  }
  for (std::uint32_t id = 1; id <= 3; ++id) {
    const Maybe& voter = voters[id - 1];
    if (id == self || !voter) continue;
    static_cast<void>(peer.step(
        zab::Received{{id},
                      zab::Notification{.role = Role::looking,
                                        .round = 1,
                                        .vote = vote_for_three(voters[2]),
                                        .condition = voter->condition,
                                        .claim = voter->claim,
                                        .cluster = voter->founded ? cluster : zab::ClusterId{}}}));
  }
  for (int i = 0; i < 4; ++i) static_cast<void>(peer.step(zab::Tick{}));
  return peer.role_status();
}

}  // namespace

TEST_CASE("who may elect whom") {
  struct Row {
    const char* what;
    Maybe one, two, three;
    bool elected;
  };
  for (const Row& row : {
           // A quorum of sound voters, whoever else is there.
           Row{"two of three", absent, sound, sound, true},
           Row{"all", sound, sound, sound, true},
           Row{"two, and a wiped one", blank, sound, sound, true},
           Row{"two, and a damaged one", damaged, sound, sound, true},
           Row{"two: what the third had beyond them no quorum had", damaged_and_had_more, sound,
               sound, true},
           Row{"one of three", absent, absent, sound, false},
           // A quorum of which some have forgotten.
           Row{"one and a wiped one", blank, absent, sound, false},
           Row{"one and a damaged one", damaged, absent, sound, false},
           // All are there: more than they know is not known.
           Row{"one and two wiped ones", blank, blank, sound, true},
           Row{"one, a wiped and a damaged one", blank, damaged, sound, true},
           Row{"one and two damaged ones", damaged, damaged, sound, true},
           Row{"one, and somebody once had more", damaged_and_had_more, damaged, sound, false},
           Row{"one, and somebody was in a later epoch", blank, damaged_and_had_a_later_epoch,
               sound, false},
           // Votes for what it was before.
           Row{"all, for one that is damaged now", sound, sound, damaged, false},
           // A new ensemble.
           Row{"two of three, all blank", absent, blank, blank, true},
           Row{"three, all blank", blank, blank, blank, true},
           Row{"one, blank", absent, absent, blank, false},
           Row{"a founding that reached one disk", blank, absent, unfounded, true},
           Row{"a founding that reached another disk", unfounded, absent, sound, true},
           Row{"two blank, and one lost its promises at least", damaged_and_had_nothing, blank,
               blank, true},
           Row{"one blank, and one lost its promises at least", damaged_and_had_nothing, absent,
               blank, false},
           Row{"two blank, and one was part of an ensemble", damaged, blank, blank, false},
       }) {
    CAPTURE(row.what);
    const std::vector<Maybe> voters{row.one, row.two, row.three};
    const zab::RoleStatus three = outcome(3, voters);
    CHECK(three.role == (row.elected ? Role::leading : Role::looking));
    for (const std::uint32_t voter : {1u, 2u}) {
      CAPTURE(voter);
      // That a vote is an old one only its candidate knows.
      if (!voters[voter - 1] || row.three->condition == Condition::damaged) continue;
      const zab::RoleStatus said = outcome(voter, voters);
      CHECK(said.role == (row.elected ? Role::following : Role::looking));
      CHECK(said.leader == (row.elected ? ServerId{3} : ServerId{}));
    }
  }
}
