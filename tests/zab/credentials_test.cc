#include "zab/credentials.h"

#include <string>
#include <utility>
#include <variant>

#include <doctest/doctest.h>

#include "tests/zab/effects_text.h"
#include "zab/peer.h"

// The credentials that servers send, and how servers of another cluster are ignored.
namespace {

using zab::ClusterId;
using zab::DiskState;
using zab::Notification;
using zab::Role;

constexpr ClusterId ours{1, 1};
constexpr ClusterId theirs{2, 2};

zab::Durable member_of(ClusterId cluster, bool founded) {
  zab::Durable disk;
  disk.accepted_epoch = {2};
  disk.current_epoch = {2};
  disk.cluster = cluster;
  disk.founded = founded;
  return disk;
}

struct FirstServer {
  zab::Peer peer;

  explicit FirstServer(zab::Durable disk)
      : peer({1}, zab::Ensemble({{.id = {1}}, {.id = {2}}, {.id = {3}}}), {}, std::move(disk),
             {7, 7}) {
    static_cast<void>(peer.start());
  }
  std::string step(zab::Event event) { return text_of(peer.step(std::move(event))); }
  std::string receive(std::uint32_t from, zab::Message message) {
    return step(zab::Received{{from}, std::move(message)});
  }
  // A notification of a voter with a better vote: this server would follow it at once.
  std::string receive_vote(std::uint32_t from, ClusterId cluster) {
    return receive(
        from,
        Notification{
            .role = Role::looking, .round = 1, .vote = {{9}, {}, {from}}, .cluster = cluster});
  }
};

}  // namespace

TEST_CASE("two cluster ids are foreign if both are known and differ") {
  CHECK(zab::are_foreign(ours, theirs));
  CHECK_FALSE(zab::are_foreign(ours, ours));
  CHECK_FALSE(zab::are_foreign(ours, {}));
  CHECK_FALSE(zab::are_foreign({}, theirs));
}

TEST_CASE("the state and the known cluster of a server follow from its disk") {
  struct Row {
    const char* name;
    zab::Durable disk;
    DiskState disk_state;
    ClusterId known;
  };
  zab::Durable promised;
  promised.accepted_epoch = {1};
  zab::Durable damaged = member_of(ours, true);
  damaged.damaged = zab::Claim{{2}, {{2}, 3}};
  zab::Durable damaged_blank;
  damaged_blank.damaged = zab::Claim{};
  for (const Row& row : {
           Row{"new, or wiped", {}, DiskState::blank, {}},
           Row{"accepted an epoch, adopted no history", promised, DiskState::blank, {}},
           Row{"adopted a history", member_of(ours, false), DiskState::sound, {}},
           Row{"knows that a quorum adopted its cluster id", member_of(ours, true),
               DiskState::sound, ours},
           Row{"lost a part of its history", damaged, DiskState::damaged, ours},
           Row{"lost its whole history, and knows that it did",
               damaged_blank,
               DiskState::damaged,
               {}},
       }) {
    CAPTURE(row.name);
    CHECK(row.disk.disk_state() == row.disk_state);
    CHECK(row.disk.known_cluster() == row.known);
  }
}

TEST_CASE("a notification carries its sender's disk state, damage claim and cluster") {
  zab::Durable disk = member_of(ours, true);
  disk.damaged = zab::Claim{{2}, {{2}, 3}};
  FirstServer one(disk);
  const zab::Effects effects = one.peer.step(zab::LinkUp{{2}});
  REQUIRE(effects.confirm.size() == 1);
  CHECK(std::get<Notification>(effects.confirm[0].message) ==
        Notification{.role = Role::looking,
                     .round = 1,
                     .vote = {},
                     .disk_state = DiskState::damaged,
                     .claim = {{2}, {{2}, 3}},
                     .cluster = ours});
}

TEST_CASE("messages of a server of another cluster are ignored, and noted once") {
  FirstServer one(member_of(ours, true));
  one.step(zab::LinkUp{{2}});
  CHECK(one.receive_vote(2, theirs).starts_with("note: server 2 belongs to cluster "));
  CHECK(one.receive_vote(2, theirs).empty());
  CHECK(one.receive(2, zab::FollowerInfo{}).empty());
  CHECK_FALSE(one.peer.state().reaches({2}));
  CHECK(one.peer.role_status().role == Role::looking);
}

TEST_CASE("a foreign server is accepted after a new link, or with our cluster id") {
  FirstServer one(member_of(ours, true));
  one.step(zab::LinkUp{{2}});
  one.receive_vote(2, theirs);
  SUBCASE("after a new link") {
    one.step(zab::LinkDown{{2}});
    one.step(zab::LinkUp{{2}});
    CHECK(one.peer.state().reaches({2}));
  }
  SUBCASE("with our cluster id") {}
  one.receive_vote(2, ours);
  CHECK(one.peer.role_status().leader == zab::ServerId{2});
}

TEST_CASE("a server without a known cluster is not foreign") {
  struct Row {
    const char* servers;
    zab::Durable disk;
    ClusterId received;
  };
  for (const Row& row : {
           Row{"a blank server", {}, theirs},
           Row{"a server that does not know that a quorum has its cluster id",
               member_of(ours, false), theirs},
           Row{"a sender without a cluster", member_of(ours, true), {}},
           Row{"a sender of the same cluster", member_of(ours, true), ours},
       }) {
    CAPTURE(row.servers);
    FirstServer one(row.disk);
    one.step(zab::LinkUp{{2}});
    one.receive_vote(2, row.received);
    CHECK(one.peer.state().reaches({2}));
  }
}

TEST_CASE("an election does not wait for a foreign server") {
  FirstServer one(member_of(ours, true));
  one.step(zab::LinkUp{{2}});
  one.step(zab::LinkUp{{3}});
  one.receive_vote(3, theirs);
  one.receive_vote(2, ours);
  CHECK(one.peer.role_status().leader == zab::ServerId{2});
}

TEST_CASE("a learner does not accept the epoch of a leader of another cluster") {
  FirstServer one(member_of(ours, true));
  one.step(zab::LinkUp{{2}});
  one.receive_vote(2, {});
  REQUIRE(one.peer.role_status().leader == zab::ServerId{2});
  const std::string effects = one.receive(2, zab::LeaderInfo{{9}, 0, theirs});
  CHECK(effects.starts_with("is looking\n"));
  CHECK(effects.find("note: server 2 leads cluster ") != std::string::npos);
  CHECK(one.peer.state().durable.accepted_epoch == zab::Epoch{2});
}
