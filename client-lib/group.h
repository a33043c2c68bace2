#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "client-lib/async_calls.h"
#include "client-lib/callback.h"
#include "client-lib/error.h"
#include "client-lib/following_run.h"
#include "client-lib/recipes/group_membership.h"
#include "client-lib/recipes/presence.h"

// Groups of programs that know each other.
//
//   zabkeeper::GroupMember self(client, "/workers", "worker-7", "10.0.0.7:80");
//   zabkeeper::GroupMembership group(client, "/workers");
//   group.wait_for(std::chrono::seconds(5)).value();
//   for (const auto& [name, member] : group.members().first) call(member.data);
namespace zabkeeper {

class MemberRun;

// A change of a member: its node exists, or was deleted by another client and is created again;
// it has the new data, or not; another owner's node is in the way, and it waits; or the membership
// has ended, which is the last event.
using MemberEvent = std::variant<Present, Absent, Updated, UpdateRefused, Occupied, PresenceEnded>;

struct MemberOptions {
  std::optional<wire::Acl> acl = {};  // of the node, and of missing parents; none: open
  Callback<MemberEvent> on_event = {};
};

// This program as a member of a group, from the constructor to the destructor. Its node has the
// name `owner`, which is that of the program also after a restart: a later member of the same owner
// takes over at once, and the earlier one ends. If the client opens a new session after one has
// expired, the member joins again in it. client-lib/recipes/presence.h says what is guaranteed
// under which failures.
//
// Any thread may use it. The client must outlive it.
class GroupMember {
 public:
  // Begins to join. Throws std::invalid_argument if the owner is no name of a node.
  GroupMember(const AsyncCalls& client, std::string group, std::string owner, wire::Bytes data = {},
              MemberOptions options = {});
  // Leaves in the background.
  ~GroupMember();
  GroupMember(const GroupMember&) = delete;
  GroupMember& operator=(const GroupMember&) = delete;

  // Waits until it is a member. OperationTimeout if that takes longer; or the error with which it
  // has ended.
  Result<Present> wait_for(std::chrono::milliseconds timeout) const;
  // Gives the member other data, in the background: see `on_event`.
  void update(wire::Bytes data);
  // Leaves, and returns when the node is deleted. After that it does not join again.
  Result<wire::EmptyReply> leave();

 private:
  std::shared_ptr<MemberRun> run_;
};

// The members have changed; some changes may be missing; or the last event: the group cannot be
// followed.
using GroupEvent = std::variant<MembersChanged, MembersGap, GroupFailed>;

// The members of a group, kept current in memory and exact at a zxid, with their data. All
// functions may be called by any thread. The client must outlive it.
// client-lib/recipes/group_membership.h says what is guaranteed under which failures.
class GroupMembership {
 public:
  // The callback gets every event. It runs on its associated executor, without one on the client's.
  GroupMembership(const AsyncCalls& client, std::string group, Callback<GroupEvent> on_event = {});
  ~GroupMembership();
  GroupMembership(const GroupMembership&) = delete;
  GroupMembership& operator=(const GroupMembership&) = delete;

  // Waits until the group was read for the first time. OperationTimeout if that takes longer.
  Result<wire::Zxid> wait_for(std::chrono::milliseconds timeout) const;
  // The members by the names of their nodes, and the zxid that they show.
  [[nodiscard]] std::pair<Members, wire::Zxid> members() const;
  [[nodiscard]] wire::Zxid zxid() const;

 private:
  using Run = FollowingRun<GroupFollower, GroupEvent, MembersChanged, GroupFailed>;
  std::shared_ptr<Run> run_;
};

}  // namespace zabkeeper
