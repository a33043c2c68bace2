#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "client-lib/recipes/counter.h"
#include "tests/sim/random.h"
#include "tests/sim/service/model.h"
#include "tests/sim/service/owned_operations.h"
#include "tests/sim/service/recipe_messages.h"
#include "wire/replies.h"
#include "wire/requests.h"

namespace sim {

class World;

// One user's use of a counter to which several users add. The user also starts its program again:
// then another CounterOwner with the same id begins the last addition again.
//
// Violation `counter`: what is told of an addition differs from the log (see OwnedOperations); the
// log has a change of the counter that is not one addition with its receipt; or a value is told
// that the counter did not have at that place in the order of all additions.
class CounterUse : public RecipeUser {
 public:
  CounterUse(World& world, std::size_t user);

  void act(Random& random);
  // The user settles its last addition, and reads the counter. Returns whether that is done.
  bool conclude();
  // At the end of the run.
  void finish() { read_log(); }

  void receive(const wire::Reply& reply);
  void receive(const wire::WatchEvent&) {}
  void lost_connection() {}
  void lost_reply(const wire::RequestId& id);
  void lost_session();

 private:
  void start(Random& random);
  void begin_something(Random& random);
  [[nodiscard]] bool may_add_again() const;
  void add(std::uint64_t number);
  void read();
  void carry_out(const zabkeeper::CounterActions& actions, wire::Zxid zxid);
  void on_added(const zabkeeper::CounterAdded& added);
  void on_read(const zabkeeper::CounterRead& read) const;
  void on_ready(const zabkeeper::CounterReady& ready, wire::Zxid zxid);
  void on_failed(const zabkeeper::CounterFailed& failed);
  // The checks of the log.
  void read_log();
  void on_transaction(wire::Zxid zxid, const Event& event);
  [[noreturn]] void fail(const std::string& what) const;

  World& world_;
  std::size_t user_;
  std::string path_;
  std::string id_;  // of the owner; empty: not chosen
  bool has_short_receipt_ = false;
  std::uint64_t starts_ = 0;  // so often was the program started
  std::optional<zabkeeper::CounterOwner> counter_;
  OwnedOperations operations_;
  std::map<std::uint64_t, std::int64_t> amounts_;  // by the number of the addition
  std::uint64_t adding_ = 0;                       // the number of the present addition; 0: none
  bool is_to_add_again_ = false;                   // if the receipt does not have the last one
  bool has_added_ = false;                         // since the program was started
  bool is_done_before_ = false;                    // when the present addition began
  wire::Zxid acknowledged_;                        // to any user, when the read began
  bool is_paused_ = false;
  bool has_settled_ = false;
  bool has_read_ = false;
  wire::Zxid checked_to_;  // of the log
};

}  // namespace sim
