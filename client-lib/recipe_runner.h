#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "client-lib/completion.h"
#include "client-lib/core.h"
#include "client-lib/recipes/recipe_actions.h"
#include "wire/replies.h"

namespace zabkeeper {

// Runs a pure recipe on a client: sends its requests, and passes it their replies and events, its
// pauses, and the end of the session. All of it on the client's strand. The client itself sets
// watches again after a reconnect. A runner lives until its recipe has ended.
class RecipeRunner : public SessionListener, public std::enable_shared_from_this<RecipeRunner> {
 public:
  RecipeRunner(const RecipeRunner&) = delete;
  RecipeRunner& operator=(const RecipeRunner&) = delete;

  // Any thread may call these.

  [[nodiscard]] const boost::asio::any_io_executor& executor() const { return core_->executor(); }
  [[nodiscard]] bool runs_here() const { return core_->runs_here(); }
  // Lets the strand call the function with `run`, which is this object.
  template <typename Run, typename Function>
  static void post_to(Run& run, Function function) {
    boost::asio::post(run.executor(),
                      [self = std::static_pointer_cast<Run>(run.shared_from_this()),
                       function = std::move(function)]() mutable { function(*self); });
  }

 protected:
  explicit RecipeRunner(std::shared_ptr<Core> core);
  ~RecipeRunner() = default;

  // To be called first.
  void listen() { core_->listen(shared_from_this()); }
  void ask(Ask&& ask);
  // Calls `resumed` a little later.
  void pause();
  // Nothing is called after this, except for replies and events that are on their way.
  void finish();
  // Removes the watch that was set last, if it may still have events.
  void unwatch();
  [[nodiscard]] const std::shared_ptr<Core>& core() const { return core_; }

 private:
  virtual void replied(std::uint64_t number, AnyReply&& reply) = 0;
  virtual void received(std::uint64_t number, const wire::WatchEvent& event) = 0;
  // A server has refused to set a watch again.
  virtual void lost_watch() = 0;
  virtual void resumed() = 0;
  // The client opens no session any more, so a request was not sent. The runner must finish.
  virtual void client_ended(const wire::Error& why) = 0;

  std::shared_ptr<Core> core_;
  boost::asio::steady_timer pause_;
  std::optional<wire::RequestId> watch_;
  bool is_finished_ = false;
};

// 32 lower-case hex digits, random.
[[nodiscard]] std::string random_id();

}  // namespace zabkeeper
