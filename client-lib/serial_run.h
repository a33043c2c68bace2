#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

#include "client-lib/recipe_call.h"
#include "client-lib/recipe_runner.h"

namespace zabkeeper {

// Runs a recipe that has one call at a time: the others wait. `Self` is the derived class: its
// `told(action)` gets what the recipe tells. For the client's strand.
template <typename Self, typename Recipe>
class SerialRun : public RecipeRunner {
 public:
  SerialRun(std::shared_ptr<Core> core, Recipe recipe)
      : RecipeRunner(std::move(core)), recipe_(std::move(recipe)) {}

  // The call goes on in the background; if it has not begun, it never does.
  template <typename Reply>
  void given_up(const RecipeCall<Reply>&) {}

 protected:
  // Calls `start` once it is the call's turn, unless its caller has given up. It returns the
  // recipe's actions.
  template <typename Reply, typename Start>
  void enqueue(const RecipeCall<Reply>& call, Start start) {
    if (waiting_.size() >= core()->options().begun.requests) {
      return call.answer({{ErrorCode::overloaded,
                           "more calls wait than the option `begun` allows; nothing was done"}});
    }
    waiting_.push_back([this, call, start = std::move(start)]() mutable {
      if (call) carry_out(start());
    });
    start_next();
  }
  [[nodiscard]] Recipe& recipe() { return recipe_; }
  // For calls that have failed.
  [[nodiscard]] static Error error_of_failure(const wire::Error& why, bool may_be_done) {
    Error error(why);
    if (may_be_done) {
      error.code = ErrorCode::connection_loss;
      error.message += "; it may be done";
    }
    return error;
  }

 private:
  void session_ended() final {
    listen();
    carry_out(recipe_.session_lost());
    start_next();
  }
  void replied(std::uint64_t number, AnyReply&& reply) final {
    carry_out(recipe_.replied(number, reply.result, reply.zxid));
    start_next();
  }
  void received(std::uint64_t, const wire::WatchEvent&) final {}
  void lost_watch() final {}
  void resumed() final {
    carry_out(recipe_.again());
    start_next();
  }
  // The calls that wait begin, and end in the same way.
  void client_ended(const wire::Error& why) final {
    carry_out(recipe_.give_up(why));
    start_next();
  }

  void start_next() {
    while (recipe_.is_idle() && !waiting_.empty()) {
      const std::function<void()> start = std::move(waiting_.front());
      waiting_.pop_front();
      listen();
      start();
    }
  }
  template <typename Actions>
  void carry_out(Actions&& actions) {
    for (auto& action : actions) {
      std::visit([this](auto& each) { carry_out_one(each); }, action);
    }
  }
  template <typename Action>
  void carry_out_one(Action& action) {
    if constexpr (std::is_same_v<Action, Ask>) {
      ask(std::move(action));
    } else if constexpr (std::is_same_v<Action, Pause>) {
      pause();
    } else {
      static_cast<Self*>(this)->told(action);
    }
  }

  Recipe recipe_;
  std::deque<std::function<void()>> waiting_;
};

}  // namespace zabkeeper
