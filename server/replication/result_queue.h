#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <variant>

#include "server/metrics/counters.h"
#include "server/peers/peer_message.h"
#include "zab/effects.h"

namespace server {

// A message of another server's pipeline to this one.
struct PipelineMessage {
  zab::ServerId from;
  PeerMessage message;
};

// The results of the protocol that the service has not got yet, in their order. Very many
// transactions may be committed together, so they are handed on in turns of the event loop: links
// and other clients are served in between, and no heartbeat is late. An adopted snapshot that is
// not loaded yet holds back everything behind it.
class ResultQueue {
 public:
  struct Restore {};  // an adopted snapshot
  using Result = std::variant<Restore, zab::Txn, zab::Confirmed, zab::RoleStatus, PipelineMessage>;
  using Sink = std::function<void(Result&)>;
  using Now = std::function<SteadyClock::time_point()>;

  // How long results are handed on in one turn.
  static constexpr std::chrono::milliseconds turn_max{4};

  explicit ResultQueue(Sink sink, Now now = SteadyClock::now)
      : sink_(std::move(sink)), now_(std::move(now)) {}

  void push(Result result) { results_.push_back(std::move(result)); }
  // All that was pushed was handed on.
  [[nodiscard]] bool empty() const { return results_.empty(); }

  // Hands on what may be handed on, for one turn. Returns whether another turn is due. `sink` may
  // push.
  bool hand_on();
  // The oldest snapshot is about to be loaded: hands on everything before it, in one turn. Returns
  // false if there is no snapshot.
  bool reach_snapshot();
  // That snapshot is loaded.
  void restored() { results_.pop_front(); }

 private:
  [[nodiscard]] bool is_held() const {
    return results_.empty() || std::holds_alternative<Restore>(results_.front());
  }
  void hand_on_first();

  Sink sink_;
  Now now_;
  std::deque<Result> results_;
};

}  // namespace server
