#include <memory>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "tests/zab/words.h"
#include "zab/peer.h"

// One test for each numbered step of the paper (Zab, DSN 2011): the events before it, the event
// that it is about, and exactly what it asks for. "f" is server 1, "l" server 3 of three.
namespace {

using zab::Peer;
using zab::ServerId;
using zab::Zxid;

constexpr ServerId f{1};
constexpr ServerId other{2};
constexpr ServerId l{3};
constexpr zab::ClusterId cluster{12, 34};

zab::Ensemble three() { return zab::Ensemble({{.id = f}, {.id = other}, {.id = l}}); }

zab::Payload payload(const std::string& text) { return std::make_shared<const wire::Bytes>(text); }

Zxid at(std::uint32_t epoch, std::uint64_t counter) { return {{epoch}, counter}; }

// Both have promised epoch 3, adopted epoch 2, and hold 1:1.
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

struct Play {
  Peer peer;

  explicit Play(ServerId self) : peer(self, three(), {}, recovered(), cluster) {
    static_cast<void>(peer.start());
  }

  std::string step(zab::Event event) { return in_words(peer.step(std::move(event))); }
  std::string hear(ServerId from, zab::Message message) {
    return step(zab::Received{from, std::move(message)});
  }
  zab::Notification vote_for_l() const { return {zab::Role::looking, 1, {{2}, at(1, 1), l}}; }
};

struct Follower : Play {
  Follower() : Play(f) {
    step(zab::LinkUp{l});
    hear(l, vote_for_l());
  }
  void discover() { hear(l, zab::LeaderInfo{{4}, 0, cluster}); }
  void synchronize() {
    discover();
    hear(l, zab::Diff{last()});
    hear(l, zab::Proposal{at(2, 1), payload("b")});
    hear(l, zab::NewLeader{{4}});
  }
  void broadcast() {
    synchronize();
    hear(l, zab::UpToDate{at(2, 1)});
  }
};

struct Leader : Play {
  Leader() : Play(l) {
    step(zab::LinkUp{f});
    hear(f, vote_for_l());
  }
  void discover() { hear(f, zab::FollowerInfo{{3}, other, last()}); }
  void accept() {
    discover();
    hear(l, zab::AckEpoch{{4}, {2}, last()});
  }
  void synchronize() {
    accept();
    hear(f, zab::AckEpoch{{4}, {2}, last()});
  }
  void broadcast() {
    synchronize();
    hear(f, zab::AckNewLeader{{4}});
    hear(l, zab::AckNewLeader{{4}});
  }
};

}  // namespace

TEST_CASE(
    "f.1.1: a follower sends its last promise, its accepted epoch, to the prospective leader") {
  Play follower(f);
  follower.step(zab::LinkUp{l});
  CHECK(follower.hear(l, follower.vote_for_l()) ==
        "is following 3\n"
        "confirm 3 NOTIFICATION looking round 1, vote 3 at epoch 2, last 1:1\n"
        "confirm 3 NOTIFICATION following round 1, vote 3 at epoch 0, last 1:1\n"
        "confirm 3 FOLLOWERINFO accepted 3, last 1:1\n");
}

TEST_CASE("l.1.1: with a quorum's accepted epochs the leader chooses one above them all") {
  Leader leader;
  CHECK(leader.hear(f, zab::FollowerInfo{{3}, other, last()}) ==
        "persist accept epoch 4 of 3\n"
        "confirm 1 LEADERINFO 4\n"
        "confirm 3 ACKEPOCH 4, current 2, last 1:1\n");
}

TEST_CASE(
    "f.1.2: a later epoch is accepted on disk, and acknowledged with current epoch and history") {
  Follower follower;
  CHECK(follower.hear(l, zab::LeaderInfo{{4}, 0, cluster}) ==
        "persist accept epoch 4 of 3\n"
        "confirm 3 ACKEPOCH 4, current 2, last 1:1\n");
}

TEST_CASE("f.1.2: an epoch that was accepted from another leader is refused") {
  Follower follower;
  CHECK(follower.hear(l, zab::LeaderInfo{{3}, 0, cluster})
            .find("note: server 3 sent LEADERINFO of epoch 3") != std::string::npos);
}

TEST_CASE("f.1.2: the answer to an earlier attempt is void") {
  Follower follower;
  CHECK(follower.hear(l, zab::LeaderInfo{{4}, 1, cluster}).empty());
}

TEST_CASE(
    "l.1.2: with a quorum's acks the leader's history, the best of them, is the initial one") {
  Leader leader;
  leader.accept();
  CHECK(leader.hear(f, zab::AckEpoch{{4}, {2}, last()}) ==
        "send 1 DIFF after 1:1\n"
        "send 1 NEWLEADER 4\n"
        "persist adopt epoch 4, history after 1:1: 0 txns\n"
        "confirm 3 ACK-NEWLEADER 4\n");
}

TEST_CASE("l.1.2: a leader that meets a better history gives way to it") {
  struct Row {
    const char* better_by;
    zab::AckEpoch ack;
  };
  for (const Row& row :
       {Row{"its epoch", {{4}, {3}, last()}}, Row{"its last zxid", {{4}, {2}, {at(1, 2), {}}}}}) {
    CAPTURE(row.better_by);
    Leader leader;
    leader.accept();
    CHECK(leader.hear(f, row.ack).starts_with("is looking\n"));
  }
}

TEST_CASE("l.2.1: the leader proposes its history to each of the quorum, from where theirs ends") {
  Leader leader;
  leader.accept();
  CHECK(leader.hear(f, zab::AckEpoch{{4}, {0}, {}}) ==
        "send 1 DIFF after 0:0\n"
        "send 1 PROPOSAL 1:1\n"
        "send 1 NEWLEADER 4\n"
        "persist adopt epoch 4, history after 1:1: 0 txns\n"
        "confirm 3 ACK-NEWLEADER 4\n");
}

TEST_CASE("f.2.1: a follower adopts history and epoch in one write, and acknowledges behind it") {
  Follower follower;
  follower.discover();
  CHECK(follower.hear(l, zab::Diff{last()}).empty());
  CHECK(follower.hear(l, zab::Proposal{at(2, 1), payload("b")}).empty());
  CHECK(follower.hear(l, zab::NewLeader{{4}}) ==
        "persist adopt epoch 4, history after 1:1: 1 txns\n"
        "confirm 3 ACK-NEWLEADER 4\n");
}

TEST_CASE("f.2.1: the leader of another epoch than the accepted one is given up") {
  Follower follower;
  follower.discover();
  CHECK(follower.hear(l, zab::NewLeader{{5}}).find("note: server 3 sent NEWLEADER out of turn") !=
        std::string::npos);
}

TEST_CASE("l.2.2: with a quorum's acks the initial history is committed") {
  Leader leader;
  leader.synchronize();
  CHECK(leader.hear(f, zab::AckNewLeader{{4}}).empty());
  CHECK(leader.hear(l, zab::AckNewLeader{{4}}) ==
        "is leading in epoch 4\n"
        "send 1 UPTODATE 1:1\n"
        "deliver 1:1\n");
}

TEST_CASE("f.2.2: a follower delivers the initial history when it is committed") {
  Follower follower;
  follower.synchronize();
  CHECK(follower.hear(l, zab::UpToDate{at(2, 1)}) ==
        "is following 3 in epoch 4\n"
        "deliver 1:1\n"
        "deliver 2:1\n");
}

TEST_CASE("l.3.1: a leader proposes in the order of submission, zxids of its epoch") {
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

TEST_CASE("f.3.1: a follower stores what is proposed, and acknowledges behind its disk") {
  Follower follower;
  follower.broadcast();
  CHECK(follower.hear(l, zab::Proposal{at(4, 1), payload("c")}) ==
        "persist append 4:1\n"
        "confirm 3 ACK 4:1\n");
}

TEST_CASE("f.3.1: a proposal that leaves a gap is not stored") {
  Follower follower;
  follower.broadcast();
  CHECK(follower.hear(l, zab::Proposal{at(4, 2), payload("c")}).starts_with("is looking\n"));
}

TEST_CASE("l.3.2: what a quorum has acknowledged is committed, once") {
  Leader leader;
  leader.broadcast();
  leader.step(zab::Submit{payload("b")});
  leader.step(zab::Submit{payload("c")});
  CHECK(leader.hear(l, zab::Ack{at(4, 1)}).empty());
  CHECK(leader.hear(l, zab::Ack{at(4, 1)}).empty());
  CHECK(leader.hear(f, zab::Ack{at(4, 2)}) ==
        "send 1 COMMIT 4:1\n"
        "deliver 4:1\n");
  CHECK(leader.hear(l, zab::Ack{at(4, 2)}) ==
        "send 1 COMMIT 4:2\n"
        "deliver 4:2\n");
}

TEST_CASE("f.3.2: a follower delivers what is committed, and only what it has") {
  Follower follower;
  follower.broadcast();
  follower.hear(l, zab::Proposal{at(4, 1), payload("c")});
  CHECK(follower.hear(l, zab::Commit{at(4, 1)}) == "deliver 4:1\n");
  CHECK(
      follower.hear(l, zab::Commit{at(4, 2)}).find("note: server 3 sent COMMIT 4:2 out of turn") !=
      std::string::npos);
}

TEST_CASE("f.3.2: nobody but the leader is listened to") {
  Follower follower;
  follower.broadcast();
  follower.step(zab::LinkUp{other});
  for (const zab::Message& message :
       {zab::Message{zab::Proposal{at(4, 1), payload("c")}}, zab::Message{zab::Commit{at(2, 1)}},
        zab::Message{zab::NewLeader{{9}}}, zab::Message{zab::LeaderInfo{{9}, 0, cluster}}}) {
    CHECK(follower.hear(other, message).empty());
  }
}
