#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "client-lib/recipes/barrier.h"
#include "tests/sim/random.h"
#include "tests/sim/service/recipe_messages.h"
#include "wire/replies.h"
#include "wire/requests.h"

namespace sim {

class World;

// One user's use of a barrier: it sets and lifts the barrier, and waits for it. Compares what the
// wait tells with the log. Violation `barrier`: the barrier is passed while it is set, or the user
// is not released by its lift.
class BarrierUse : public RecipeUser {
 public:
  BarrierUse(World& world, std::size_t user) : world_(world), user_(user) {}

  void act(Random& random);
  // The barrier is lifted, and not set any more. Returns whether the user does not wait.
  bool conclude();

  void receive(const wire::Reply& reply);
  void receive(const wire::WatchEvent& event);
  void lost_connection();
  void lost_reply(const wire::RequestId& id);
  void lost_session();

 private:
  void begin();
  void lift(Random& random);
  void carry_out(const zabkeeper::BarrierActions& actions, wire::Zxid zxid);
  void on_passed(const zabkeeper::BarrierPassed& passed, wire::Zxid zxid);
  void check_released(const wire::Reply& reply) const;
  // Whether the log says that this generation is set.
  [[nodiscard]] bool is_set(wire::Zxid generation, wire::Zxid at) const;
  [[nodiscard]] std::string who() const { return "user " + std::to_string(user_); }

  World& world_;
  std::size_t user_;
  std::optional<zabkeeper::BarrierWait> wait_;
  wire::Zxid acknowledged_;  // to any user, when the wait began
  bool is_paused_ = false;
  bool is_concluding_ = false;
  bool is_lifting_ = false;  // at the end
};

}  // namespace sim
