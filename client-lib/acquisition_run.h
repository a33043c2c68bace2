#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>
#include <variant>
#include <vector>

#include "client-lib/hold.h"
#include "client-lib/recipe_call.h"
#include "client-lib/recipe_runner.h"
#include "client-lib/recipes/acquisition.h"
#include "client-lib/recipes/multi_acquisition.h"

namespace zabkeeper {

// The state that the handles of one hold share.
struct Hold::State {
  State(std::shared_ptr<AcquisitionRun> of, MultiGrant granted)
      : run(std::move(of)), grant_(std::move(granted)) {}

  [[nodiscard]] MultiGrant grant() const {
    const std::lock_guard lock(mutex_);
    return grant_;
  }
  void set_grant(const MultiGrant& grant) {
    const std::lock_guard lock(mutex_);
    grant_ = grant;
  }

  const std::shared_ptr<AcquisitionRun> run;
  std::atomic<int> handles = 1;
  std::stop_source stop;

 private:
  mutable std::mutex mutex_;
  MultiGrant grant_;  // a downgrade changes it
};

// The error that those who wait for an acquisition get when it ends; none if it was released.
[[nodiscard]] Error error_of_end(const Ended& ended);

// The locks to be acquired: one, or several together.
using Wanted = std::variant<QueueOptions, MultiOptions>;

// Runs an Acquisition, or one of several locks, on a client. Its functions are for the client's
// strand, except for those of RecipeRunner that any thread may call, and `safe_until`.
class AcquisitionRun final : public RecipeRunner {
 public:
  AcquisitionRun(std::shared_ptr<Core> core, Wanted wanted);

  // The answer is what is held. It holds nothing if it was not its turn at once.
  void start(const RecipeCall<Hold>& call);
  // If nothing is held, the nodes are deleted in the background.
  void given_up(const RecipeCall<Hold>&) { carry_out_release(); }
  void release(AnyCompletion completion);
  void downgrade(AnyCompletion completion);

  [[nodiscard]] Conversation::Time safe_until() const { return core()->safe_until(); }

 private:
  using Recipe = std::variant<Acquisition, MultiAcquisition>;

  static Recipe recipe_for(Wanted wanted);

  void session_ended() override;
  void replied(std::uint64_t number, AnyReply&& reply) override;
  void received(std::uint64_t number, const wire::WatchEvent& event) override;
  void lost_watch() override;
  void resumed() override;
  void client_ended(const wire::Error&) override { session_ended(); }

  // Calls the function with the recipe, and carries out the actions that it returns.
  template <typename Step>
  void step(const Step& step);
  template <typename Action>
  void carry_out(Action& action);
  void carry_out_release();
  void on_held(MultiGrant grant);
  void on_lost();
  void on_ended(const Ended& ended);

  Recipe recipe_;
  RecipeCall<Hold> waiting_;              // of `start`
  std::vector<AnyCompletion> releasing_;  // completed when the nodes are deleted
  AnyCompletion downgrading_;
  std::weak_ptr<Hold::State> hold_;
  std::optional<Ended> ended_;
};

}  // namespace zabkeeper
