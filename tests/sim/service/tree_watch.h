#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "client-lib/recipes/tree_follower.h"
#include "tests/sim/random.h"
#include "tests/sim/service/recipe_messages.h"
#include "tests/sim/service/tree_sequence.h"
#include "wire/replies.h"
#include "wire/requests.h"

namespace sim {

class World;

// One user that follows a part of the tree, in which all users write.
class TreeWatch : public RecipeUser {
 public:
  TreeWatch(World& world, std::size_t user) : world_(world), user_(user) {}

  void act(Random& random);
  // Returns whether all is told. A follower that is not allowed to read stops.
  bool conclude();

  void receive(const wire::Reply& reply);
  void receive(const wire::WatchEvent& event);
  void lost_connection();
  void lost_reply(const wire::RequestId& id);
  // The follower continues in the next session.
  void lost_session();

 private:
  void begin(Random& random);
  void end();
  void carry_out(const zabkeeper::FollowerActions& actions);
  void check_told_all(wire::Zxid zxid);

  World& world_;
  std::size_t user_;
  std::optional<zabkeeper::TreeFollower> follower_;
  std::optional<TreeSequence> sequence_;
  bool is_paused_ = false;
  wire::Zxid seen_;  // of a reply or an event
};

}  // namespace sim
