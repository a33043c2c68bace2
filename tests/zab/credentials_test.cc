#include "zab/credentials.h"

#include <string>
#include <utility>
#include <variant>

#include <doctest/doctest.h>

#include "tests/zab/words.h"
#include "zab/peer.h"

// What servers say of themselves, and what becomes of those of another cluster.
namespace {

using zab::ClusterId;
using zab::Condition;
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

struct Member {
  zab::Peer peer;

  explicit Member(zab::Durable disk)
      : peer({1}, zab::Ensemble({{.id = {1}}, {.id = {2}}, {.id = {3}}}), {}, std::move(disk),
             {7, 7}) {
    static_cast<void>(peer.start());
  }
  std::string step(zab::Event event) { return in_words(peer.step(std::move(event))); }
  std::string hear(std::uint32_t from, zab::Message message) {
    return step(zab::Received{{from}, std::move(message)});
  }
  // The word of a voter that is ahead of this server: it would be followed at once.
  std::string hear_of(std::uint32_t from, ClusterId cluster) {
    return hear(
        from,
        Notification{
            .role = Role::looking, .round = 1, .vote = {{9}, {}, {from}}, .cluster = cluster});
  }
};

}  // namespace

TEST_CASE("which clusters are foreign to each other") {
  CHECK(zab::are_foreign(ours, theirs));
  CHECK_FALSE(zab::are_foreign(ours, ours));
  CHECK_FALSE(zab::are_foreign(ours, {}));
  CHECK_FALSE(zab::are_foreign({}, theirs));
}

TEST_CASE("what a disk says of its server") {
  struct Row {
    const char* what;
    zab::Durable disk;
    Condition condition;
    ClusterId known;
  };
  zab::Durable promised;
  promised.accepted_epoch = {1};
  zab::Durable damaged = member_of(ours, true);
  damaged.damaged = zab::Claim{{2}, {{2}, 3}};
  zab::Durable damaged_blank;
  damaged_blank.damaged = zab::Claim{};
  for (const Row& row : {
           Row{"new, or wiped", {}, Condition::blank, {}},
           Row{"promised something, and adopted nothing", promised, Condition::blank, {}},
           Row{"adopted a history", member_of(ours, false), Condition::sound, {}},
           Row{"and knows that a quorum did", member_of(ours, true), Condition::sound, ours},
           Row{"has lost a part of it", damaged, Condition::damaged, ours},
           Row{"has lost all of it, and knows", damaged_blank, Condition::damaged, {}},
       }) {
    CAPTURE(row.what);
    CHECK(row.disk.condition() == row.condition);
    CHECK(row.disk.known_cluster() == row.known);
  }
}

TEST_CASE("a notification says what its sender's word is worth") {
  zab::Durable disk = member_of(ours, true);
  disk.damaged = zab::Claim{{2}, {{2}, 3}};
  Member one(disk);
  const zab::Effects effects = one.peer.step(zab::LinkUp{{2}});
  REQUIRE(effects.confirm.size() == 1);
  CHECK(std::get<Notification>(effects.confirm[0].message) ==
        Notification{.role = Role::looking,
                     .round = 1,
                     .vote = {},
                     .condition = Condition::damaged,
                     .claim = {{2}, {{2}, 3}},
                     .cluster = ours});
}

TEST_CASE("a server of another cluster is not heard, and noted once") {
  Member one(member_of(ours, true));
  one.step(zab::LinkUp{{2}});
  CHECK(one.hear_of(2, theirs).starts_with("note: server 2 belongs to cluster "));
  CHECK(one.hear_of(2, theirs).empty());
  CHECK(one.hear(2, zab::FollowerInfo{}).empty());
  CHECK_FALSE(one.peer.state().reaches({2}));
  CHECK(one.peer.role_status().role == Role::looking);
}

TEST_CASE("it is heard again once it says otherwise, or over another link") {
  Member one(member_of(ours, true));
  one.step(zab::LinkUp{{2}});
  one.hear_of(2, theirs);
  SUBCASE("another link") {
    one.step(zab::LinkDown{{2}});
    one.step(zab::LinkUp{{2}});
    CHECK(one.peer.state().reaches({2}));
  }
  SUBCASE("another word") {}
  one.hear_of(2, ours);
  CHECK(one.peer.role_status().leader == zab::ServerId{2});
}

TEST_CASE("who does not know of a cluster yet is foreign to nobody") {
  struct Row {
    const char* what;
    zab::Durable disk;
    ClusterId said;
  };
  for (const Row& row : {
           Row{"a blank server", {}, theirs},
           Row{"one whose cluster no quorum is known to have", member_of(ours, false), theirs},
           Row{"one that hears of no cluster", member_of(ours, true), {}},
           Row{"one that hears of its own", member_of(ours, true), ours},
       }) {
    CAPTURE(row.what);
    Member one(row.disk);
    one.step(zab::LinkUp{{2}});
    one.hear_of(2, row.said);
    CHECK(one.peer.state().reaches({2}));
  }
}

TEST_CASE("a foreign server is not waited for in an election") {
  Member one(member_of(ours, true));
  one.step(zab::LinkUp{{2}});
  one.step(zab::LinkUp{{3}});
  one.hear_of(3, theirs);
  one.hear_of(2, ours);
  CHECK(one.peer.role_status().leader == zab::ServerId{2});
}

TEST_CASE("the leader of another cluster is not followed into its epoch") {
  Member one(member_of(ours, true));
  one.step(zab::LinkUp{{2}});
  one.hear_of(2, {});
  REQUIRE(one.peer.role_status().leader == zab::ServerId{2});
  const std::string said = one.hear(2, zab::LeaderInfo{{9}, 0, theirs});
  CHECK(said.starts_with("is looking\n"));
  CHECK(said.find("note: server 2 leads cluster ") != std::string::npos);
  CHECK(one.peer.state().durable.accepted_epoch == zab::Epoch{2});
}
