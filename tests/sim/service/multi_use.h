#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client-lib/recipes/multi_acquisition.h"
#include "tests/sim/random.h"
#include "tests/sim/service/fenced_resource.h"
#include "tests/sim/service/recipe_messages.h"
#include "wire/replies.h"
#include "wire/requests.h"

namespace sim {

class World;

// One user's acquisitions of several locks together: one after the other. Each lock protects a
// resource. One of the locks is also acquired by itself: see LockUse.
class MultiUse : public RecipeUser {
 public:
  MultiUse(World& world, std::size_t user) : world_(world), user_(user) {}

  void act(Random& random);
  // The user acquires all locks once more, and releases them. Returns whether that is done.
  bool conclude(Random& random);

  void receive(const wire::Reply& reply);
  void receive(const wire::WatchEvent& event);
  void lost_connection();
  void lost_reply(const wire::RequestId& id);
  void lost_session();

 private:
  void begin(Random& random, bool only_now);
  void release();
  void use(Random& random);
  void carry_out(const zabkeeper::MultiActions& actions, wire::Zxid zxid);
  void on_held(const zabkeeper::MultiGrant& grant, wire::Zxid since);
  void on_ended(const zabkeeper::Ended& ended);
  void give_up_holds();
  void check_nodes_are_gone() const;

  World& world_;
  std::size_t user_;
  std::optional<zabkeeper::MultiAcquisition> acquisition_;
  std::vector<std::string> paths_;  // of the acquisition
  std::string mark_;                // the begin of its nodes' names
  bool has_waited_ = false;
  bool is_paused_ = false;
  std::vector<LockHold> holds_;  // one for each lock, while all are held
  bool took_final_ = false;
  bool is_concluding_ = false;
};

}  // namespace sim
