#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "client-lib/recipes/queue_producer.h"
#include "tests/sim/random.h"
#include "tests/sim/service/model.h"
#include "tests/sim/service/owned_operations.h"
#include "tests/sim/service/recipe_messages.h"
#include "wire/replies.h"
#include "wire/requests.h"

namespace sim {

class World;

// One user's items for the queue at `queue_path`: it puts one after the other. As in CounterUse,
// the program is also started again. Violation `queue`: what is told of an item differs from the
// log (see OwnedOperations), or the log has another item than the one that was put.
class PutUse : public RecipeUser {
 public:
  PutUse(World& world, std::size_t user);

  void act(Random& random);
  // The user settles its last item. Returns whether that is done.
  bool conclude();
  // At the end of the run.
  void finish() { read_log(); }

  void receive(const wire::Reply& reply);
  void receive(const wire::WatchEvent&) {}
  void lost_connection() {}
  void lost_reply(const wire::RequestId& id);
  void lost_session();

 private:
  struct Item {
    wire::Bytes data;
    std::int64_t due_ms = 0;
  };

  void start(Random& random);
  [[nodiscard]] bool may_put_again() const;
  void put(std::uint64_t number);
  void carry_out(const zabkeeper::PutActions& actions, wire::Zxid zxid);
  void on_done(std::uint64_t number);
  void on_ready(const zabkeeper::PutReady& ready, wire::Zxid zxid);
  void on_failed(const zabkeeper::PutFailed& failed);
  // The checks of the log.
  void read_log();
  void on_put(std::uint64_t number, wire::Zxid zxid, const Event& event);
  [[nodiscard]] std::string receipt() const;
  [[noreturn]] void fail(const std::string& what) const;

  World& world_;
  std::size_t user_;
  std::string id_;  // of the owner; empty: not chosen
  bool has_short_receipt_ = false;
  std::uint64_t starts_ = 0;  // so often was the program started
  std::optional<zabkeeper::QueueProducer> producer_;
  OwnedOperations operations_;
  std::map<std::uint64_t, Item> items_;  // by number
  std::uint64_t putting_ = 0;            // the number of the present item; 0: none
  bool is_to_put_again_ = false;         // if the receipt does not have the last one
  bool has_put_ = false;                 // since the program was started
  bool is_done_before_ = false;          // when `put` was called
  bool is_paused_ = false;
  bool has_settled_ = false;
  wire::Zxid checked_to_;  // of the log
};

}  // namespace sim
