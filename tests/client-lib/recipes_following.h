#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client-lib/recipes/tree_follower.h"
#include "tests/client-lib/recipes_attempt.h"

// A follower in tests, with its actions as text.
namespace zabkeeper {

using wire::ErrorCode;
using wire::EventKind;

// A child on a page. It was created by the transaction `czxid`, and last set by `mzxid`.
struct ChildRow {
  std::string name;
  std::uint64_t czxid = 0;
  std::uint64_t mzxid = 0;
  std::optional<std::string> data = {};
  std::int32_t children = 0;
};

inline wire::Stat stat_of(std::uint64_t czxid, std::uint64_t mzxid, std::int32_t children = 0) {
  wire::Stat stat;
  stat.czxid = at(czxid);
  stat.mzxid = at(mzxid);
  stat.version = static_cast<std::int32_t>(mzxid - czxid);
  stat.num_children = children;
  return stat;
}

inline std::string node_text(const std::string& path, const TreeNode& node) {
  return path + '=' + node.data.get() + '@' + std::to_string(node.mzxid.counter);
}

struct FollowerText {
  std::string operator()(const Ask& ask) const { return RecipeText()(ask); }
  std::string operator()(const Pause&) const { return "pause"; }
  std::string operator()(const TreeChanged& changed) const {
    std::string text = "at " + std::to_string(changed.zxid.counter) + ":";
    for (const TreeChange& change : changed.changes) {
      text += ' ' + (change.node ? node_text(change.path, *change.node) : change.path + " gone");
    }
    return text;
  }
  std::string operator()(const TreeGap&) const { return "gap"; }
  std::string operator()(const Unreadable& node) const { return "unreadable " + node.path; }
  std::string operator()(const FollowerFailed& failed) const {
    return "failed " + std::string(wire::name(failed.error.code));
  }
};

// A follower with its actions as text. An Ask is named by its number.
class Following {
 public:
  explicit Following(FollowOptions options) : follower_(std::move(options)) {}
  Following() : Following({.path = "/t"}) {}

  std::string begin() { return note(follower_.begin()); }
  std::string connection_lost() { return note(follower_.connection_lost()); }
  std::string session_lost() { return note(follower_.session_lost()); }
  std::string again() { return note(follower_.again()); }

  std::string reply(std::uint64_t ask, wire::Result<wire::ReplyBody> body, std::uint64_t zxid) {
    return note(follower_.replied(ask, body, at(zxid)));
  }
  std::string fail(std::uint64_t ask, ErrorCode code, std::uint64_t zxid = 0) {
    return reply(ask, wire::Error{code, "x"}, zxid);
  }
  std::string watched(std::uint64_t ask, std::uint64_t zxid) {
    return reply(ask, wire::ReplyBody(wire::WatchReply()), zxid);
  }
  std::string confirmed(std::uint64_t ask, std::uint64_t zxid) {
    return reply(ask, wire::ReplyBody(wire::ExistsReply()), zxid);
  }
  // Created by transaction 1.
  std::string got(std::uint64_t ask, std::uint64_t zxid, const std::string& data,
                  std::uint64_t mzxid, std::int32_t children = 0) {
    return reply(ask, wire::ReplyBody(wire::GetReply{data, stat_of(1, mzxid, children)}), zxid);
  }
  std::string listed(std::uint64_t ask, std::uint64_t zxid, const std::vector<ChildRow>& rows,
                     bool more = false) {
    wire::ChildrenReply page;
    page.more = more;
    for (const ChildRow& row : rows) {
      page.children.push_back({row.name, {}, row.data});
      if (row.czxid > 0) page.children.back().stat = stat_of(row.czxid, row.mzxid, row.children);
    }
    return reply(ask, wire::ReplyBody(page), zxid);
  }
  // An event of the watch that this Ask has set. A node that is created or set has data "<zxid>".
  std::string event(std::uint64_t ask, EventKind kind, const std::string& path,
                    std::uint64_t zxid) {
    wire::WatchEvent event;
    event.kind = kind;
    event.path = path;
    event.zxid = at(zxid);
    if (kind == EventKind::created || kind == EventKind::changed) {
      event.data = wire::Bytes(std::to_string(zxid));
      event.stat = stat_of(kind == EventKind::created ? zxid : 1, zxid);
    }
    return note(follower_.received(ask, event));
  }
  std::string content() const {
    std::string text;
    for (const auto& [path, node] : follower_.content()) {
      text += (text.empty() ? "" : " ") + node_text(path, node);
    }
    return text;
  }
  TreeFollower& operator*() { return follower_; }

 private:
  static std::string note(const FollowerActions& actions) {
    std::string text;
    for (const FollowerAction& action : actions) {
      text += (text.empty() ? "" : "\n") + std::visit(FollowerText(), action);
    }
    return text;
  }

  TreeFollower follower_;
};

inline const char* const watch_1 =
    R"(ask {"id":1,"op":"watch","path":"/t","scope":"subtree","withData":true})";
inline const char* const get_2 = R"(ask {"id":2,"op":"get","path":"/t"})";
inline const char* const list_3 =
    R"(ask {"id":3,"op":"children","path":"/t","withStat":true,"withData":true,"limit":500})";

// Has /t with /t/a and /t/b, at 20. The last Ask is 3.
inline Following following_tree(FollowOptions options = {.path = "/t"}) {
  Following one(std::move(options));
  one.begin();
  one.watched(1, 18);
  one.got(2, 19, "t", 5, 2);
  one.listed(3, 20, {{"a", 10, 10, "a"}, {"b", 11, 12, "b"}});
  return one;
}

inline std::string exists_ask(int number) {
  return R"(ask {"id":)" + std::to_string(number) + R"(,"op":"exists","path":"/t"})";
}

}  // namespace zabkeeper
