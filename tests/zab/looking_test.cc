#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "tests/zab/effects_text.h"
#include "zab/peer.h"

// Phase 0, besides the transcripts: when an election waits, and for which servers.
namespace {

using zab::Notification;
using zab::Role;
using zab::ServerId;

struct Looker {
  zab::Peer peer;

  static zab::PeerLimits limits() {
    zab::PeerLimits limits;
    limits.settle_ticks = 2;
    return limits;
  }
  static zab::Durable sound() {
    zab::Durable durable;
    durable.accepted_epoch = durable.current_epoch = {1};
    durable.cluster = {1, 1};
    durable.founded = true;
    return durable;
  }

  explicit Looker(std::uint32_t self,
                  std::vector<zab::Member> members = {{.id = {1}}, {.id = {2}}, {.id = {3}}})
      : peer({self}, zab::Ensemble(std::move(members)), limits(), sound(), {1, self}) {
    static_cast<void>(peer.start());
  }
  std::string up(std::uint32_t server) { return text_of(peer.step(zab::LinkUp{{server}})); }
  std::string receive(std::uint32_t from, Role role, std::uint64_t round, std::uint32_t leader) {
    return text_of(peer.step(zab::Received{
        {from},
        Notification{
            .role = role, .round = round, .vote = {{1}, {}, {leader}}, .cluster = {1, 1}}}));
  }
  std::string tick() { return text_of(peer.step(zab::Tick{})); }
  bool looks() const { return peer.role_status().role == Role::looking; }
};

}  // namespace

TEST_CASE("an election in which all connected voters agree does not wait") {
  Looker one(1);
  one.up(3);
  one.receive(3, Role::looking, 1, 3);
  CHECK(one.peer.role_status().leader == ServerId{3});
}

TEST_CASE("an election waits some ticks for a connected voter that does not agree yet") {
  Looker one(1);
  one.up(2);
  one.up(3);
  one.receive(3, Role::looking, 1, 3);
  CHECK(one.looks());
  one.tick();
  CHECK(one.looks());
  one.tick();
  CHECK(one.peer.role_status().leader == ServerId{3});
}

TEST_CASE("an election waits some ticks for a voter that follows another leader") {
  Looker three(3);
  three.up(1);
  three.up(2);
  three.receive(2, Role::following, 1, 1);
  three.receive(1, Role::looking, 1, 3);
  CHECK(three.looks());
  three.tick();
  three.tick();
  CHECK(three.peer.role_status().role == Role::leading);
}

TEST_CASE("a follower of the candidate in the same round counts as a supporter") {
  Looker three(3);
  three.up(1);
  three.receive(1, Role::following, 1, 3);
  CHECK(three.peer.role_status().role == Role::leading);
}

TEST_CASE("a better vote is adopted, a worse one answered, an equal one counted") {
  Looker two(2);
  two.up(1);
  two.up(3);
  CHECK(two.receive(1, Role::looking, 1, 1) ==
        "confirm 1 NOTIFICATION looking round 1, vote 2 at epoch 1, last 0:0\n");
  CHECK(two.receive(3, Role::looking, 1, 3) ==
        "confirm 1 NOTIFICATION looking round 1, vote 3 at epoch 1, last 0:0\n"
        "confirm 3 NOTIFICATION looking round 1, vote 3 at epoch 1, last 0:0\n");
  CHECK(two.receive(1, Role::looking, 1, 3).starts_with("is following 3\n"));
}

TEST_CASE("a later round is joined, an earlier one answered") {
  Looker two(2);
  two.up(1);
  two.up(3);
  CHECK(two.receive(1, Role::looking, 5, 1) ==
        "confirm 1 NOTIFICATION looking round 5, vote 2 at epoch 1, last 0:0\n"
        "confirm 3 NOTIFICATION looking round 5, vote 2 at epoch 1, last 0:0\n");
  CHECK(two.receive(3, Role::looking, 4, 3) ==
        "confirm 3 NOTIFICATION looking round 5, vote 2 at epoch 1, last 0:0\n");
}

TEST_CASE("an established leader is joined if it and a quorum confirm it, in any round") {
  Looker one(1);
  one.up(2);
  one.up(3);
  one.receive(2, Role::following, 9, 3);
  CHECK(one.looks());
  one.receive(3, Role::leading, 9, 3);
  CHECK(one.peer.role_status().leader == ServerId{3});
  CHECK(one.peer.state().round == 9);
}

TEST_CASE("two servers that follow each other are not joined") {
  Looker one(1);
  one.up(2);
  one.up(3);
  one.receive(2, Role::following, 9, 3);
  one.receive(3, Role::following, 9, 2);
  CHECK(one.looks());
}

TEST_CASE("votes by or for observers and unknown servers are ignored") {
  Looker one(1, {{.id = {1}}, {.id = {2}}, {.id = {3}}, {.id = {4}, .observer = true}});
  one.up(2);
  one.up(4);
  CHECK(one.receive(4, Role::looking, 7, 2).empty());
  CHECK(one.receive(2, Role::looking, 7, 4).empty());
  CHECK(one.receive(2, Role::looking, 7, 9).empty());
  CHECK(one.peer.state().round == 1);
}

TEST_CASE("a voter begins a new round if the link to its candidate is lost") {
  Looker one(1);
  one.up(2);
  one.up(3);
  one.receive(3, Role::looking, 1, 3);
  CHECK(text_of(one.peer.step(zab::LinkDown{{3}})) ==
        "confirm 2 NOTIFICATION looking round 2, vote 1 at epoch 1, last 0:0\n");
}

TEST_CASE("a vote is sent again every few ticks") {
  Looker one(1);
  one.up(2);
  std::string sent;
  for (int i = 0; i < 4; ++i) sent += one.tick();
  CHECK(sent == "confirm 2 NOTIFICATION looking round 1, vote 1 at epoch 1, last 0:0\n");
}
