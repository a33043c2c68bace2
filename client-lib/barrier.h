#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "client-lib/async_calls.h"
#include "client-lib/block.h"
#include "client-lib/client.h"
#include "client-lib/recipe_call.h"
#include "client-lib/recipe_runner.h"
#include "client-lib/recipes/barrier.h"

namespace zabkeeper {

// Runs a BarrierWait on a client, until it has passed or its caller has given up.
class BarrierRun final : public RecipeRunner {
 public:
  BarrierRun(std::shared_ptr<Core> core, std::string path)
      : RecipeRunner(std::move(core)), wait_(std::move(path)) {}

  // For the strand.
  void start(const RecipeCall<BarrierPassed>& call);
  void given_up(const RecipeCall<BarrierPassed>& call);

 private:
  void session_ended() override;
  void replied(std::uint64_t number, AnyReply&& reply) override;
  void received(std::uint64_t number, const wire::WatchEvent& event) override;
  void lost_watch() override { carry_out(wait_.connection_lost()); }
  void resumed() override { carry_out(wait_.again()); }
  void client_ended(const wire::Error& why) override { carry_out({BarrierFailed{why}}); }

  void carry_out(BarrierActions actions);

  BarrierWait wait_;
  RecipeCall<BarrierPassed> waiting_;
};

// A barrier: clients that come while it is set wait until it is lifted. Each time that it is set is
// a generation. client-lib/recipes/barrier.h says what is guaranteed under which failures.
//
//   zabkeeper::Barrier barrier(client, "/maintenance");
//   barrier.wait().value();
//
// Any thread may use it. The client must outlive it and its calls.
class Barrier {
 public:
  Barrier(const Calls& client, std::string path) : calls_(client), path_(std::move(path)) {}

  // Sets the barrier. The reply's stat.czxid is the generation. NodeExists: it is set already.
  Result<wire::CreateReply> set(wire::Bytes data = {}) const {
    return calls_.call(set_barrier(path_, std::move(data)));
  }
  template <typename Token>
  auto async_set(wire::Bytes data, Token&& token) const {
    return calls_.async_call(set_barrier(path_, std::move(data)), std::forward<Token>(token));
  }
  // Lifts this generation. ConditionFailed or NoNode: it is lifted already.
  Result<wire::EmptyReply> lift(wire::Zxid generation) const {
    BarrierLift lift = lift_barrier(path_, generation);
    return calls_.call_if(std::move(lift.conditions), std::move(lift.request));
  }
  template <typename Token>
  auto async_lift(wire::Zxid generation, Token&& token) const {
    BarrierLift lift = lift_barrier(path_, generation);
    return calls_.async_call_if(std::move(lift.conditions), std::move(lift.request),
                                std::forward<Token>(token));
  }

  // Returns when the generation that was set is lifted; at once if none is set.
  Result<BarrierPassed> wait() const { return wait_for({}); }
  // OperationTimeout if that takes longer; 0: without a limit.
  Result<BarrierPassed> wait_for(std::chrono::milliseconds timeout) const {
    return block_elsewhere<BarrierPassed>(
        *calls_.core(), [&](auto handler) { async_wait_for(timeout, std::move(handler)); });
  }
  // The completion signature is void(Error, BarrierPassed).
  template <typename Token>
  auto async_wait(Token&& token) const {
    return async_wait_for({}, std::forward<Token>(token));
  }
  template <typename Token>
  auto async_wait_for(std::chrono::milliseconds timeout, Token&& token) const {
    return begin_call<BarrierPassed>(
        calls_.core()->executor(),
        [core = calls_.core(), path = path_] { return std::make_shared<BarrierRun>(core, path); },
        [](BarrierRun& run, const RecipeCall<BarrierPassed>& call) { run.start(call); }, timeout,
        std::forward<Token>(token));
  }

 private:
  Calls calls_;
  std::string path_;
};

}  // namespace zabkeeper
