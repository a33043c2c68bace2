#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "tests/zab/effects_text.h"
#include "tests/zab/histories.h"
#include "zab/peer.h"

// One test for each numbered step of the paper (Zab, DSN 2011): the events before the step, its own
// event, and its exact effects. The follower f is server 1, the leader l is server 3 of three.
namespace {

using zab::Peer;
using zab::ServerId;
using zab::Zxid;

constexpr ServerId f{1};
constexpr ServerId other{2};
constexpr ServerId l{3};
constexpr zab::ClusterId cluster{12, 34};

zab::Ensemble three() { return zab::Ensemble({{.id = f}, {.id = other}, {.id = l}}); }

// Both servers have accepted epoch 3, adopted epoch 2, and have 1:1.
zab::Durable recovered() {
  zab::Durable durable;
  durable.accepted_epoch = {3};
  durable.accepted_leader = other;
  durable.current_epoch = {2};
  durable.cluster = cluster;
  durable.founded = true;
  durable.history.append(at(1, 1), payload("a"));
  return durable;
}

zab::Point last() { return recovered().history.last(); }

struct Scenario {
  Peer peer;

  explicit Scenario(ServerId self) : peer(self, three(), {}, recovered(), cluster) {
    static_cast<void>(peer.start());
  }

  std::string step(zab::Event event) { return text_of(peer.step(std::move(event))); }
  std::string receive(ServerId from, zab::Message message) {
    return step(zab::Received{from, std::move(message)});
  }
  zab::Notification vote_for_l() const { return {zab::Role::looking, 1, {{2}, at(1, 1), l}}; }
};

struct Follower : Scenario {
  Follower() : Scenario(f) {
    step(zab::LinkUp{l});
    receive(l, vote_for_l());
  }
  void discover() { receive(l, zab::LeaderInfo{{4}, 0, cluster}); }
  void synchronize() {
    discover();
    receive(l, zab::Diff{last()});
    receive(l, zab::Proposal{at(2, 1), payload("b")});
    receive(l, zab::NewLeader{{4}});
  }
  void broadcast() {
    synchronize();
    receive(l, zab::UpToDate{at(2, 1)});
  }
};

struct Leader : Scenario {
  Leader() : Scenario(l) {
    step(zab::LinkUp{f});
    receive(f, vote_for_l());
  }
  void discover() { receive(f, zab::FollowerInfo{{3}, other, last()}); }
  void accept() {
    discover();
    receive(l, zab::AckEpoch{{4}, {2}, last()});
  }
  void synchronize() {
    accept();
    receive(f, zab::AckEpoch{{4}, {2}, last()});
  }
  void broadcast() {
    synchronize();
    receive(f, zab::AckNewLeader{{4}});
    receive(l, zab::AckNewLeader{{4}});
  }
};

}  // namespace

TEST_CASE("f.1.1: a follower sends its accepted epoch to the prospective leader") {
  Scenario follower(f);
  follower.step(zab::LinkUp{l});
  CHECK(follower.receive(l, follower.vote_for_l()) ==
        "is following 3\n"
        "confirm 3 NOTIFICATION looking round 1, vote 3 at epoch 2, last 1:1\n"
        "confirm 3 NOTIFICATION following round 1, vote 3 at epoch 0, last 1:1\n"
        "confirm 3 FOLLOWERINFO accepted 3, last 1:1\n");
}

TEST_CASE("l.1.1: with a quorum's accepted epochs the leader chooses an epoch above all of them") {
  Leader leader;
  CHECK(leader.receive(f, zab::FollowerInfo{{3}, other, last()}) ==
        "persist accept epoch 4 of 3\n"
        "confirm 1 LEADERINFO 4\n"
        "confirm 3 ACKEPOCH 4, current 2, last 1:1\n");
}

TEST_CASE(
    "f.1.2: a follower persists a later epoch, and acks it with its current epoch and history") {
  Follower follower;
  CHECK(follower.receive(l, zab::LeaderInfo{{4}, 0, cluster}) ==
        "persist accept epoch 4 of 3\n"
        "confirm 3 ACKEPOCH 4, current 2, last 1:1\n");
}

TEST_CASE("f.1.2: an epoch that was accepted from another leader is refused") {
  Follower follower;
  CHECK(follower.receive(l, zab::LeaderInfo{{3}, 0, cluster})
            .find("note: server 3 sent LEADERINFO of epoch 3") != std::string::npos);
}

TEST_CASE("f.1.2: the answer to an earlier attempt is ignored") {
  Follower follower;
  CHECK(follower.receive(l, zab::LeaderInfo{{4}, 1, cluster}).empty());
}

TEST_CASE("l.1.2: with a quorum's acks the leader's history becomes the initial one") {
  Leader leader;
  leader.accept();
  CHECK(leader.receive(f, zab::AckEpoch{{4}, {2}, last()}) ==
        "send 1 DIFF after 1:1\n"
        "send 1 NEWLEADER 4\n"
        "persist adopt epoch 4, history after 1:1: 0 txns\n"
        "confirm 3 ACK-NEWLEADER 4\n");
}

TEST_CASE("l.1.2: a leader gives up if a follower has a more recent history") {
  struct Row {
    const char* better_by;
    zab::AckEpoch ack;
  };
  for (const Row& row :
       {Row{"its epoch", {{4}, {3}, last()}}, Row{"its last zxid", {{4}, {2}, {at(1, 2), {}}}}}) {
    CAPTURE(row.better_by);
    Leader leader;
    leader.accept();
    CHECK(leader.receive(f, row.ack).starts_with("is looking\n"));
  }
}

TEST_CASE("l.2.1: the leader sends each follower the part of its history that the follower lacks") {
  Leader leader;
  leader.accept();
  CHECK(leader.receive(f, zab::AckEpoch{{4}, {0}, {}}) ==
        "send 1 DIFF after 0:0\n"
        "send 1 PROPOSAL 1:1\n"
        "send 1 NEWLEADER 4\n"
        "persist adopt epoch 4, history after 1:1: 0 txns\n"
        "confirm 3 ACK-NEWLEADER 4\n");
}

TEST_CASE("f.2.1: a follower adopts history and epoch in one write, and acks after it") {
  Follower follower;
  follower.discover();
  CHECK(follower.receive(l, zab::Diff{last()}).empty());
  CHECK(follower.receive(l, zab::Proposal{at(2, 1), payload("b")}).empty());
  CHECK(follower.receive(l, zab::NewLeader{{4}}) ==
        "persist adopt epoch 4, history after 1:1: 1 txns\n"
        "confirm 3 ACK-NEWLEADER 4\n");
}

TEST_CASE("f.2.1: a follower gives up a leader whose NEWLEADER has another epoch") {
  Follower follower;
  follower.discover();
  CHECK(follower.receive(l, zab::NewLeader{{5}})
            .find("note: server 3 sent an unexpected NEWLEADER") != std::string::npos);
}

TEST_CASE("l.2.2: with a quorum's acks the initial history is committed") {
  Leader leader;
  leader.synchronize();
  CHECK(leader.receive(f, zab::AckNewLeader{{4}}).empty());
  CHECK(leader.receive(l, zab::AckNewLeader{{4}}) ==
        "is leading in epoch 4\n"
        "send 1 UPTODATE 1:1\n"
        "deliver 1:1\n");
}

TEST_CASE("f.2.2: a follower delivers the initial history when it is committed") {
  Follower follower;
  follower.synchronize();
  CHECK(follower.receive(l, zab::UpToDate{at(2, 1)}) ==
        "is following 3 in epoch 4\n"
        "deliver 1:1\n"
        "deliver 2:1\n");
}

TEST_CASE("l.3.1: a leader proposes in the order of submission, with zxids of its epoch") {
  Leader leader;
  CHECK(leader.step(zab::Submit{payload("too early")}).empty());
  leader.broadcast();
  CHECK(leader.step(zab::Submit{payload("b")}) ==
        "send 1 PROPOSAL 4:1\n"
        "persist append 4:1\n"
        "confirm 3 ACK 4:1\n");
  CHECK(leader.step(zab::Submit{payload("c")}) ==
        "send 1 PROPOSAL 4:2\n"
        "persist append 4:2\n"
        "confirm 3 ACK 4:2\n");
}

TEST_CASE("f.3.1: a follower persists a proposal, and acks it after the write") {
  Follower follower;
  follower.broadcast();
  CHECK(follower.receive(l, zab::Proposal{at(4, 1), payload("c")}) ==
        "persist append 4:1\n"
        "confirm 3 ACK 4:1\n");
}

TEST_CASE("f.3.1: a proposal that leaves a gap is not stored") {
  Follower follower;
  follower.broadcast();
  CHECK(follower.receive(l, zab::Proposal{at(4, 2), payload("c")}).starts_with("is looking\n"));
}

TEST_CASE("l.3.2: a proposal that a quorum has acked is committed, once") {
  Leader leader;
  leader.broadcast();
  leader.step(zab::Submit{payload("b")});
  leader.step(zab::Submit{payload("c")});
  CHECK(leader.receive(l, zab::Ack{at(4, 1)}).empty());
  CHECK(leader.receive(l, zab::Ack{at(4, 1)}).empty());
  CHECK(leader.receive(f, zab::Ack{at(4, 2)}) ==
        "send 1 COMMIT 4:1\n"
        "deliver 4:1\n");
  CHECK(leader.receive(l, zab::Ack{at(4, 2)}) ==
        "send 1 COMMIT 4:2\n"
        "deliver 4:2\n");
}

TEST_CASE("f.3.2: a follower delivers committed transactions, and gives up if one is missing") {
  Follower follower;
  follower.broadcast();
  follower.receive(l, zab::Proposal{at(4, 1), payload("c")});
  CHECK(follower.receive(l, zab::Commit{at(4, 1)}) == "deliver 4:1\n");
  CHECK(follower.receive(l, zab::Commit{at(4, 2)})
            .find("note: server 3 sent an unexpected COMMIT 4:2") != std::string::npos);
}

TEST_CASE("f.3.2: messages of servers other than the leader are ignored") {
  Follower follower;
  follower.broadcast();
  follower.step(zab::LinkUp{other});
  for (const zab::Message& message :
       {zab::Message{zab::Proposal{at(4, 1), payload("c")}}, zab::Message{zab::Commit{at(2, 1)}},
        zab::Message{zab::NewLeader{{9}}}, zab::Message{zab::LeaderInfo{{9}, 0, cluster}}}) {
    CHECK(follower.receive(other, message).empty());
  }
}
