#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

#include "client-lib/callback.h"
#include "client-lib/recipe_runner.h"

namespace zabkeeper {

// Runs a recipe that tells a stream of events, until it is stopped or the recipe has failed.
// `Event` is a variant of those of the recipe's actions that are for the user; the last event of a
// stream is a `Failure`. `Self` is the derived class: it has `step(recipe_step)`, which calls the
// function on its recipe and passes the actions to `carry_out`.
template <typename Self, typename Event, typename Failure>
class StreamRun : public RecipeRunner {
 public:
  StreamRun(std::shared_ptr<Core> core, Callback<Event> on_event)
      : RecipeRunner(std::move(core)), on_event_(std::move(on_event)) {}

  // Any thread may call these.

  void start() {
    post_to(self(), [](Self& run) {
      run.listen();
      run.step([](auto& recipe) { return recipe.begin(); });
    });
  }
  // No callback begins after that, except on another thread.
  void stop() {
    is_stopped_ = true;
    post_to(self(), [](Self& run) { run.end(); });
  }

 protected:
  void client_ended(const wire::Error& why) override {
    if (!is_stopped_) tell(Failure{why});
    end();
  }
  [[nodiscard]] bool is_stopped() const { return is_stopped_; }

  template <typename Actions>
  void carry_out(Actions&& actions) {
    for (auto& action : actions) {
      if (is_stopped_) return;
      std::visit([this](auto& each) { carry_out_one(each); }, action);
    }
  }
  void tell(Event event) {
    on_event_.post(executor(), std::move(event),
                   [self = shared_from_this(), this] { return !is_stopped_; });
  }
  void end() {
    unwatch();
    finish();
  }

 private:
  [[nodiscard]] Self& self() { return static_cast<Self&>(*this); }

  void replied(std::uint64_t number, AnyReply&& reply) final {
    self().step([&](auto& recipe) { return recipe.replied(number, reply.result, reply.zxid); });
  }
  void received(std::uint64_t number, const wire::WatchEvent& event) final {
    self().step([&](auto& recipe) { return recipe.received(number, event); });
  }
  void lost_watch() final {
    self().step([](auto& recipe) { return recipe.connection_lost(); });
  }
  void resumed() final {
    self().step([](auto& recipe) { return recipe.again(); });
  }

  template <typename Action>
  void carry_out_one(Action& action) {
    if constexpr (std::is_same_v<Action, Ask>) {
      ask(std::move(action));
    } else if constexpr (std::is_same_v<Action, Pause>) {
      pause();
    } else {
      tell(std::move(action));
      if constexpr (std::is_same_v<Action, Failure>) end();
    }
  }

  const Callback<Event> on_event_;
  std::atomic<bool> is_stopped_ = false;
};

}  // namespace zabkeeper
