#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "client-lib/recipes/acquisition.h"
#include "tests/sim/random.h"
#include "tests/sim/service/fenced_resource.h"
#include "tests/sim/service/recipe_messages.h"
#include "wire/replies.h"
#include "wire/requests.h"

namespace sim {

class World;

enum class LockType : std::uint8_t { lock, read_write, semaphore, election };

// One user's use of one lock with the recipes of client-lib: one acquisition after the other, and
// the resource that the lock protects.
class LockUse : public RecipeUser {
 public:
  LockUse(World& world, std::size_t user, LockType type)
      : world_(world), user_(user), type_(type) {}

  // The user begins, uses or ends something, at random.
  void act(Random& random);
  // The user acquires the lock once more, and releases it. Returns whether that is done.
  bool conclude(Random& random);

  void receive(const wire::Reply& reply);
  void receive(const wire::WatchEvent& event);
  // The connection is lost, and the watches with it.
  void lost_connection();
  // This request will get no reply.
  void lost_reply(const wire::RequestId& id);
  void lost_session();

 private:
  void begin(Random& random, bool only_now);
  void release();
  void use(Random& random);
  void proclaim(Random& random);
  void carry_out(const zabkeeper::RecipeActions& actions, wire::Zxid zxid);
  void on_held(const zabkeeper::Grant& grant, wire::Zxid since);
  void on_downgraded(const zabkeeper::Grant& grant);
  void on_ended(const zabkeeper::Ended& ended);
  void give_up_hold();
  void check_node_is_gone() const;
  [[nodiscard]] std::string path() const;
  [[nodiscard]] zabkeeper::QueueOptions some_queue(Random& random) const;

  World& world_;
  std::size_t user_;
  LockType type_;
  std::optional<zabkeeper::Acquisition> acquisition_;
  std::string mark_;    // of the acquisition
  bool reads_ = false;  // it is that of a reader
  bool has_waited_ = false;
  bool is_paused_ = false;
  std::optional<LockHold> hold_;
  bool took_final_ = false;
  bool is_concluding_ = false;
};

}  // namespace sim
