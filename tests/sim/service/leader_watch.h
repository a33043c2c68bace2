#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "client-lib/recipes/observer.h"
#include "tests/sim/service/leader_sequence.h"
#include "tests/sim/service/recipe_messages.h"
#include "wire/replies.h"
#include "wire/requests.h"

namespace sim {

class World;

// One user that observes the election.
class LeaderWatch : public RecipeUser {
 public:
  explicit LeaderWatch(World& world);

  void act();

  void receive(const wire::Reply& reply);
  void receive(const wire::WatchEvent& event);
  void lost_connection();
  void lost_reply(const wire::RequestId& id);
  // An observer begins anew in the next session.
  void lost_session();

 private:
  void carry_out(const zabkeeper::ObserverActions& actions);

  World& world_;
  LeaderSequence sequence_;
  std::optional<zabkeeper::Observer> observer_;
  bool is_paused_ = false;
};

}  // namespace sim
