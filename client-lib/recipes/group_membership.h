#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "client-lib/recipes/presence.h"
#include "client-lib/recipes/tree_follower.h"

namespace zabkeeper {

struct Member {
  std::string name;   // of its node
  std::string owner;  // see PresenceOptions
  wire::Bytes data;
  wire::Zxid czxid;  // since when it is a member, or was taken over
  wire::Zxid mzxid;  // since when it has these data

  bool operator==(const Member&) const = default;
};
using Members = std::map<std::string, Member>;  // by name

// The members are those at `zxid`. Told once when the group has been read, then after each change.
struct MembersChanged {
  wire::Zxid zxid;
  std::vector<Member> joined;
  std::vector<Member> updated;  // with other data, or taken over
  std::vector<Member> left;

  bool operator==(const MembersChanged&) const = default;
};
// Members may have come and gone here. The next MembersChanged says what differs.
struct MembersGap {
  bool operator==(const MembersGap&) const = default;
};
// The last action: the group cannot be followed.
struct GroupFailed {
  wire::Error error;
  bool operator==(const GroupFailed&) const = default;
};

using GroupAction = std::variant<Ask, Pause, MembersChanged, MembersGap, GroupFailed>;
using GroupActions = std::vector<GroupAction>;

// The options of a Presence that is a member of this group. Its owner is the name of its node, and
// `id` is as in PresenceOptions.
[[nodiscard]] PresenceOptions membership(const std::string& group, std::string owner,
                                         std::string id, wire::Bytes data);

// The members of a group, with their data: those children of a node that a Presence has made. A
// pure value, as Acquisition is. Members join with a Presence, which is independent of this view.
//
// Guarantees: those of TreeFollower. After a step, the members are those at the zxid of the last
// MembersChanged of the step; each change of the members is told, in the order of the transactions,
// or one MembersGap. A member that is replaced by a later Presence of its owner does not leave.
//
// Not guaranteed: that of TreeFollower. In particular a member may be gone already. What clients
// write below the group by other means is held in memory too, up to the bounds of FollowOptions.
class GroupFollower {
 public:
  explicit GroupFollower(FollowOptions options)
      : path_(options.path), follower_(std::move(options)) {}

  // As of TreeFollower.
  [[nodiscard]] GroupActions begin() { return view(follower_.begin()); }
  [[nodiscard]] GroupActions replied(std::uint64_t number,
                                     const wire::Result<wire::ReplyBody>& result, wire::Zxid zxid) {
    return view(follower_.replied(number, result, zxid));
  }
  [[nodiscard]] GroupActions received(std::uint64_t number, const wire::WatchEvent& event) {
    return view(follower_.received(number, event));
  }
  [[nodiscard]] GroupActions connection_lost() { return view(follower_.connection_lost()); }
  [[nodiscard]] GroupActions session_lost() { return view(follower_.session_lost()); }
  [[nodiscard]] GroupActions again() { return view(follower_.again()); }

  // The members at `zxid`. None before the first MembersChanged.
  [[nodiscard]] const Members& members() const { return members_; }
  [[nodiscard]] wire::Zxid zxid() const { return follower_.zxid(); }
  [[nodiscard]] bool is_following() const { return follower_.is_following(); }

 private:
  [[nodiscard]] GroupActions view(FollowerActions&& actions);
  void on_changed(const TreeChanged& changed, GroupActions& actions);

  std::string path_;
  TreeFollower follower_;
  Members members_;
  bool is_complete_ = false;  // false: the next change is told even if no member changed
};

}  // namespace zabkeeper
