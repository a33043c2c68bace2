#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "client-lib/recipes/recipe_actions.h"
#include "wire/bytes.h"
#include "wire/error.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"
#include "wire/zxid.h"

namespace zabkeeper {

// A barrier is a node. It is set while the node exists. Each time that it is set is a generation,
// whose name is the czxid of the node.

// Sets the barrier, and creates missing parents. The reply has the generation in its stat.
// NodeExists: it is set already. `data` say who has set it, for example. A barrier that must be
// lifted when its session ends can be `ephemeral`.
[[nodiscard]] wire::CreateRequest set_barrier(std::string path, wire::Bytes data);

struct BarrierLift {
  wire::DeleteRequest request;
  std::vector<wire::Condition> conditions;
};
// Lifts this generation, and no other one. NoNode or ConditionFailed: it is lifted already. So
// after a lost reply the request can be sent again.
[[nodiscard]] BarrierLift lift_barrier(std::string path, wire::Zxid generation);

// The barrier is set: the client waits until this generation is lifted. Told once.
struct BarrierIsSet {
  wire::Zxid generation;
  bool operator==(const BarrierIsSet&) const = default;
};
// The last action: the generation for which the client waited is lifted. None: the barrier was not
// set.
struct BarrierPassed {
  std::optional<wire::Zxid> generation;
  bool operator==(const BarrierPassed&) const = default;
};
// The last action: it is not known whether the barrier is set.
struct BarrierFailed {
  wire::Error error;
  bool operator==(const BarrierFailed&) const = default;
};

using BarrierAction = std::variant<Ask, Pause, BarrierIsSet, BarrierPassed, BarrierFailed>;
using BarrierActions = std::vector<BarrierAction>;

// One wait until a barrier is lifted. A pure value, as Acquisition is.
//
// Guarantees, with any number of lost connections, server failures, moves and ends of the session:
// - A barrier that was set before `begin`, as any client knew, is not passed before its lift.
// - A client that has found the barrier set is released by the lift of this generation, even if the
//   barrier is set again at once. The client waits for no later generation.
//
// Not guaranteed:
// - After `BarrierPassed` the barrier may be set again.
// - A barrier whose client has died stays set, unless its node is ephemeral.
//
// The requests: one linearizable `get`, which sets a watch if the barrier is set. Nobody reads when
// it is lifted: each client that waits gets one event.
class BarrierWait {
 public:
  explicit BarrierWait(std::string path) : path_(std::move(path)) {}

  // Begins. Only once.
  [[nodiscard]] BarrierActions begin();
  // As of Acquisition. The watch is the one that the last GetRequest has set. A caller that stops
  // waiting removes it.
  [[nodiscard]] BarrierActions replied(std::uint64_t number,
                                       const wire::Result<wire::ReplyBody>& result,
                                       wire::Zxid zxid);
  [[nodiscard]] BarrierActions received(std::uint64_t number, const wire::WatchEvent& event);
  [[nodiscard]] BarrierActions connection_lost();
  // The session has ended, and outstanding requests get no reply. The wait goes on in the next one.
  [[nodiscard]] BarrierActions session_lost();
  [[nodiscard]] BarrierActions again();

  // The generation for which the client waits, while a watch will tell its lift.
  [[nodiscard]] std::optional<wire::Zxid> watched() const {
    return watch_ == 0 ? std::nullopt : generation_;
  }

 private:
  enum class Phase : std::uint8_t { idle, reading, waiting, ended };

  void read(BarrierActions& actions);
  void end(BarrierAction last, BarrierActions& actions);

  std::string path_;
  Phase phase_ = Phase::idle;
  std::uint64_t last_ = 0;         // number of an Ask
  std::uint64_t outstanding_ = 0;  // the Ask whose reply counts; 0: none
  std::uint64_t watch_ = 0;        // the Ask whose watch is set; 0: none
  bool has_changed_ = false;       // since the read that is not answered
  std::optional<wire::Zxid> generation_;
};

}  // namespace zabkeeper
