#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "client-lib/recipes/observer.h"
#include "tests/sim/service/leader_sequence.h"
#include "wire/replies.h"
#include "wire/requests.h"

namespace sim {

class World;

// One user that observes the election. The user sends the requests that `next` returns, and passes
// the replies and events.
class LeaderWatch {
 public:
  explicit LeaderWatch(World& world);

  void act();
  [[nodiscard]] std::optional<wire::ClientRequest> next();
  void sent(const wire::RequestId& id) { numbers_[id.json] = sending_; }
  [[nodiscard]] bool knows(const wire::RequestId& id) const { return numbers_.contains(id.json); }

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
  std::deque<zabkeeper::Ask> asks_;  // not sent
  std::uint64_t sending_ = 0;
  std::map<std::string, std::uint64_t> numbers_;  // of the Asks, by request id
};

}  // namespace sim
