#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include <boost/asio/system_timer.hpp>

#include "client-lib/queue_item.h"
#include "client-lib/recipe_call.h"
#include "client-lib/recipe_runner.h"
#include "client-lib/recipes/queue_take.h"

namespace zabkeeper {

// The state of an item that is held.
struct QueueItem::State {
  State(std::shared_ptr<TakeRun> of, Taken item) : run(std::move(of)), taken(std::move(item)) {}

  const std::shared_ptr<TakeRun> run;
  const Taken taken;
  std::stop_source stop;
};

// Runs a QueueTake on a client. For the client's strand, except for the functions of RecipeRunner
// that any thread may call, and `safe_until`.
class TakeRun final : public RecipeRunner {
 public:
  TakeRun(std::shared_ptr<Core> core, WorkQueue queue);

  void start(const RecipeCall<QueueItem>& call);
  // An item that is taken meanwhile is given back.
  void given_up(const RecipeCall<QueueItem>&) { give_back({}); }
  void done(AnyCompletion completion);
  void give_back(AnyCompletion completion);

  [[nodiscard]] Conversation::Time safe_until() const { return core()->safe_until(); }

 private:
  void session_ended() override { carry_out(take_.session_lost()); }
  void replied(std::uint64_t number, AnyReply&& reply) override {
    carry_out(take_.replied(number, reply.result, reply.zxid));
  }
  void received(std::uint64_t number, const wire::WatchEvent& event) override {
    carry_out(take_.received(number, event));
  }
  void lost_watch() override { carry_out(take_.connection_lost()); }
  void resumed() override { carry_out(take_.again()); }
  void client_ended(const wire::Error&) override { session_ended(); }

  void carry_out(TakeActions actions);
  void wake_at(std::int64_t time_ms);
  void on_taken(const Taken& taken);
  void on_lost();
  void on_ended(const TakeEnded& ended);

  QueueTake take_;
  boost::asio::system_timer wake_;  // due times are those of the system's clock
  RecipeCall<QueueItem> waiting_;
  AnyCompletion finishing_;  // of `done`
  AnyCompletion returning_;  // of `give_back`
  std::weak_ptr<QueueItem::State> item_;
  std::optional<TakeEnded> ended_;
};

}  // namespace zabkeeper
