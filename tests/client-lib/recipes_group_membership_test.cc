#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "client-lib/recipes/group_membership.h"
#include "tests/client-lib/recipes_attempt.h"

namespace zabkeeper {
namespace {

struct GroupText {
  std::string operator()(const Ask& ask) const { return "ask " + std::to_string(ask.number); }
  std::string operator()(const Pause&) const { return "pause"; }
  std::string operator()(const MembersChanged& changed) const {
    return "at " + std::to_string(changed.zxid.counter) + ":" + text_of("+", changed.joined) +
           text_of("~", changed.updated) + text_of("-", changed.left);
  }
  std::string operator()(const MembersGap&) const { return "gap"; }
  std::string operator()(const GroupFailed& failed) const {
    return "failed " + std::string(wire::name(failed.error.code));
  }

 private:
  static std::string text_of(const std::string& sign, const std::vector<Member>& members) {
    std::string text;
    for (const Member& member : members) text += ' ' + sign + member.name + '=' + member.data;
    return text;
  }
};

std::string group_text(const GroupActions& actions) {
  std::string text;
  for (const GroupAction& action : actions) {
    text += (text.empty() ? "" : "\n") + std::visit(GroupText(), action);
  }
  return text;
}

wire::Bytes member_bytes(const std::string& owner, const std::string& data) {
  return bytes_of({std::string(some_id), owner, data});
}

// A group at /g. The last Ask is 3.
class SomeGroup {
 public:
  SomeGroup() {
    CHECK(group_text(group_.begin()) == "ask 1");
    CHECK(reply(1, wire::WatchReply(), 10) == "ask 2");
    wire::Stat stat;
    stat.num_children = 2;
    CHECK(reply(2, wire::GetReply{"", stat}, 10) == "ask 3");
    wire::ChildrenReply page;
    page.children.push_back({"a", wire::Stat(), member_bytes("a", "1")});
    page.children.push_back({"other", wire::Stat(), wire::Bytes("no member")});
    CHECK(reply(3, page, 11) == "at 11: +a=1");
  }

  std::string reply(std::uint64_t ask, wire::ReplyBody body, std::uint64_t zxid) {
    return group_text(group_.replied(ask, std::move(body), at(zxid)));
  }
  std::string event(const std::string& path, std::optional<wire::Bytes> data, std::uint64_t zxid) {
    wire::WatchEvent event;
    event.kind = data ? wire::EventKind::changed : wire::EventKind::deleted;
    event.path = path;
    event.zxid = at(zxid);
    if (data) event.stat.emplace().mzxid = at(zxid);
    if (data) event.data = *std::move(data);
    return group_text(group_.received(1, event));
  }
  GroupFollower& operator*() { return group_; }

 private:
  GroupFollower group_{{.path = "/g"}};
};

}  // namespace

TEST_CASE("a group tells who joins, who has other data, and who leaves") {
  SomeGroup group;
  group.event("/g/b", member_bytes("b", "2"), 12);  // asks 4
  CHECK(group.event("/g/a", member_bytes("a", "3"), 13) == "at 12: +b=2");
  CHECK(group.event("/g/a", std::nullopt, 14) == "at 13: ~a=3");
  CHECK(group.reply(4, wire::ExistsReply(), 14) == "at 14: -a=3");
  REQUIRE((*group).members().size() == 1);
  CHECK((*group).members().at("b") == Member{"b", "b", "2", {}, at(12)});
  CHECK((*group).zxid() == at(14));
  CHECK((*group).is_following());
}

TEST_CASE("a member that is replaced in one transaction does not leave") {
  SomeGroup group;
  group.event("/g/a", std::nullopt, 12);
  group.event("/g/a", member_bytes("a", "1"), 12);
  CHECK(group.reply(4, wire::ExistsReply(), 12) == "at 12: ~a=1");
}

TEST_CASE("a group does not tell what is no member") {
  SomeGroup group;
  group.event("/g", wire::Bytes(), 12);
  group.event("/g/other", wire::Bytes("x"), 13);
  group.event("/g/a/below", member_bytes("x", ""), 14);
  CHECK(group.reply(4, wire::ExistsReply(), 14) == "");
  // A member whose node gets other contents has left.
  group.event("/g/a", wire::Bytes("x"), 15);
  CHECK(group.reply(5, wire::ExistsReply(), 15) == "at 15: -a=1");
}

TEST_CASE("after a gap a group tells the difference, even if there is none") {
  SomeGroup group;
  wire::WatchEvent resync;
  resync.kind = wire::EventKind::resync;
  resync.zxid = at(20);
  CHECK(group_text((*group).received(1, resync)) == "gap\nask 4");
  CHECK(group_text((*group).connection_lost()) == "ask 5");
  CHECK(group.reply(5, wire::WatchReply(), 20) == "ask 6");
  CHECK((*group).members().size() == 1);
  const wire::Error no_node{wire::ErrorCode::no_node, ""};
  CHECK(group_text((*group).replied(6, no_node, at(21))) == "at 21: -a=1");
  CHECK(group_text((*group).received(5, resync)) == "gap\nask 7");
  CHECK(group_text((*group).replied(7, no_node, at(22))) == "at 22:");
  CHECK(group_text((*group).session_lost()) == "ask 8");
  CHECK(group_text((*group).replied(8, wire::Error{wire::ErrorCode::not_ready, ""}, {})) ==
        "pause");
  CHECK(group_text((*group).again()) == "ask 9");
  CHECK(group_text((*group).replied(9, wire::Error{wire::ErrorCode::no_auth, ""}, at(23))) ==
        "failed NoAuth");
}

TEST_CASE("a member has a node of its owner's name below the group") {
  const PresenceOptions options = membership("/g", "host:1", std::string(some_id), "data");
  CHECK(options.path == "/g/host:1");
  CHECK(options.owner == "host:1");
  CHECK(options.data == "data");
  CHECK_FALSE(options.sequential);
}

}  // namespace zabkeeper
