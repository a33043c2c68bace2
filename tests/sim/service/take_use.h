#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "client-lib/recipes/queue_take.h"
#include "tests/sim/random.h"
#include "tests/sim/service/fenced_resource.h"
#include "tests/sim/service/recipe_messages.h"
#include "wire/replies.h"
#include "wire/requests.h"

namespace sim {

class World;

// One user's takes of items from the queue at `queue_path`, one after the other. Each item that it
// takes is a resource, as one that a lock protects: see FencedResource.
//
// Violation `queue`: an item is told as taken, and the log has no such claim of this take; it was
// not the first free item, or not due; an item is told as done, and was not deleted with this
// claim; or a take that has ended has left a node. See also QueueLog.
class TakeUse : public RecipeUser {
 public:
  TakeUse(World& world, std::size_t user, const wire::SessionId& session)
      : world_(world), user_(user), present_session_(session) {}

  void act(Random& random);
  // The user takes items until none is left, and gives none back. Returns whether that is done.
  bool conclude(Random& random);

  void receive(const wire::Reply& reply);
  void receive(const wire::WatchEvent& event);
  void lost_connection();
  void lost_reply(const wire::RequestId& id);
  void lost_session();

 private:
  void begin(Random& random);
  void advance();
  void use(Random& random);
  void remove_some(Random& random);
  void carry_out(const zabkeeper::TakeActions& actions, wire::Zxid zxid);
  void note_list(const zabkeeper::Ask& ask);
  // The checks.
  void on_taken(const zabkeeper::Taken& taken, wire::Zxid zxid);
  void check_order(const std::string& name, wire::Zxid claimed) const;
  void on_wake_at(const zabkeeper::WakeAt& wake_at) const;
  void give_up_hold();
  void on_ended(const zabkeeper::TakeEnded& ended);
  void check_done() const;
  void check_nodes_are_gone() const;
  [[noreturn]] void fail(const std::string& what) const;

  World& world_;
  std::size_t user_;
  const wire::SessionId& present_session_;
  wire::SessionId session_;  // of the take
  std::uint64_t takes_ = 0;  // so many were begun
  std::string id_;
  std::optional<zabkeeper::QueueTake> take_;
  std::int64_t now_ms_ = 0;       // as it was last told
  std::uint64_t first_page_ = 0;  // the Ask of the last list from its begin
  wire::Zxid looked_at_;          // the zxid of its reply
  std::optional<LockHold> hold_;  // an item, until it is done or lost
  std::string item_;              // the path of the last item that was taken
  wire::Zxid claim_;              // of it
  bool has_waited_ = false;
  bool is_finishing_ = false;
  bool is_paused_ = false;
  bool is_cancelled_ = false;
};

}  // namespace sim
