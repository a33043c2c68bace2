#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "client-lib/hold.h"
#include "client-lib/recipe_runner.h"
#include "client-lib/recipes/acquisition.h"

namespace zabkeeper {

// The state that the handles of one hold share.
struct Hold::State {
  State(std::shared_ptr<AcquisitionRun> of, Grant granted)
      : run(std::move(of)), grant_(std::move(granted)) {}

  [[nodiscard]] Grant grant() const {
    const std::lock_guard lock(mutex_);
    return grant_;
  }
  void set_grant(const Grant& grant) {
    const std::lock_guard lock(mutex_);
    grant_ = grant;
  }

  const std::shared_ptr<AcquisitionRun> run;
  std::atomic<int> handles = 1;
  std::stop_source stop;

 private:
  mutable std::mutex mutex_;
  Grant grant_;  // a downgrade changes it
};

// Runs an Acquisition on a client. Its functions are for the client's strand, except for `start`
// and the functions that return an executor or a time.
class AcquisitionRun final : public RecipeRunner {
 public:
  // The outcome of an acquisition. Neither a hold nor an error: it was not its turn at once.
  struct Outcome {
    Error error;
    Hold hold;
  };

  AcquisitionRun(std::shared_ptr<Core> core, QueueOptions options);

  // Calls the completion when `outcome` is set. `timeout` 0: none. Any thread may call it.
  void start(std::chrono::milliseconds timeout, std::shared_ptr<Outcome> outcome,
             AnyCompletion completion);
  // The caller does not wait any more. If nothing is held, the node is deleted in the background.
  void cancel(const Error& why);
  void release(AnyCompletion completion);
  void downgrade(AnyCompletion completion);

  [[nodiscard]] boost::asio::any_io_executor executor() const { return core()->executor(); }
  [[nodiscard]] bool runs_here() const { return core()->runs_here(); }
  [[nodiscard]] Conversation::Time safe_until() const { return core()->safe_until(); }
  // Lets the strand call the function with this object. Any thread may call it.
  template <typename Function>
  void post(Function function) {
    post_to(*this, std::move(function));
  }

 private:
  void session_ended() override { carry_out(acquisition_.session_lost()); }
  void replied(std::uint64_t number, AnyReply&& reply) override {
    carry_out(acquisition_.replied(number, reply.result));
  }
  void received(std::uint64_t number, const wire::WatchEvent& event) override {
    carry_out(acquisition_.received(number, event));
  }
  void lost_watch() override { carry_out(acquisition_.connection_lost()); }
  void resumed() override { carry_out(acquisition_.again()); }

  void carry_out(RecipeActions actions);
  void on_held(const Grant& grant);
  void on_lost();
  void on_ended(const Ended& ended);
  // Answers the caller of `start`, if it waits.
  void answer(Error error, Hold hold);

  Acquisition acquisition_;
  boost::asio::steady_timer timer_;  // of `start`
  std::shared_ptr<Outcome> outcome_;
  AnyCompletion waiting_;                 // of `start`
  std::vector<AnyCompletion> releasing_;  // completed when the node is deleted
  AnyCompletion downgrading_;
  std::weak_ptr<Hold::State> hold_;
  std::optional<Ended> ended_;
};

}  // namespace zabkeeper
