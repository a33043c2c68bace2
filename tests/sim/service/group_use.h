#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "client-lib/recipes/group_membership.h"
#include "client-lib/recipes/presence.h"
#include "tests/sim/random.h"
#include "tests/sim/service/recipe_messages.h"
#include "wire/records.h"
#include "wire/replies.h"
#include "wire/requests.h"

namespace sim {

class World;
class Model;
struct Event;

// One user's use of a group: it is a member with one Presence after the other, and views the group.
// Several users have one owner, as a process has that is started again too early.
//
// Violation `presence`: a Presence that is told to be present has no node, or a second one; one
// that has ended has left its node; or a Presence has deleted the node of another owner, or that of
// a later Presence, or has left a moment without a node while it took over. Violation `members`:
// the members are not those of the log at their zxid, or a change is missing.
class GroupUse : public RecipeUser {
 public:
  GroupUse(World& world, std::size_t user, const wire::SessionId& session);

  void act(Random& random);
  // The user leaves the group. Returns whether that is done.
  bool conclude();

  void receive(const wire::Reply& reply);
  void receive(const wire::WatchEvent& event);
  void lost_connection();
  void lost_reply(const wire::RequestId& id);
  void lost_session();

 private:
  void begin(Random& random);
  void remove_some(Random& random);
  void reply(const RecipeMessages::Origin& to, const wire::Result<wire::ReplyBody>& result,
             wire::Zxid zxid);
  void carry_out(const zabkeeper::PresenceActions& actions);
  void carry_out(const zabkeeper::GroupActions& actions);
  // The checks.
  void on_present(const zabkeeper::Present& present);
  void on_ended(const zabkeeper::PresenceEnded& ended);
  void check_deletions();
  void check_deletions(wire::Zxid zxid, const Event& event) const;
  void on_members(const zabkeeper::MembersChanged& changed, bool is_last);
  [[nodiscard]] std::size_t nodes_at(wire::Zxid zxid) const;

  World& world_;
  std::size_t user_;
  const wire::SessionId& present_session_;
  wire::SessionId session_;  // of the Presence
  std::string owner_;
  std::string id_;
  std::optional<zabkeeper::Presence> presence_;
  std::optional<zabkeeper::GroupFollower> group_;
  zabkeeper::Members told_;  // as the changes say
  bool is_presence_paused_ = false;
  bool is_group_paused_ = false;
  bool is_concluding_ = false;
  wire::Zxid checked_to_;  // deletions
};

}  // namespace sim
