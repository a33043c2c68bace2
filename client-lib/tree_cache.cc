#include "client-lib/tree_cache.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>

#include "client-lib/block.h"
#include "client-lib/recipe_runner.h"

namespace zabkeeper {

// Runs a TreeFollower on a client. The mutex guards what the strand changes and others read.
class FollowerRun final : public RecipeRunner {
 public:
  FollowerRun(std::shared_ptr<Core> core, FollowOptions options, Callback<TreeEvent> on_event)
      : RecipeRunner(std::move(core)),
        follower_(std::move(options)),
        on_event_(std::move(on_event)) {}

  void start() {
    post_to(*this, [](FollowerRun& run) {
      run.listen();
      run.step([&] { return run.follower_.begin(); });
    });
  }
  // Any thread may call it.
  void stop() {
    is_stopped_ = true;
    post_to(*this, [](FollowerRun& run) { run.end(); });
  }

  // --- Any thread ---

  [[nodiscard]] std::unique_lock<std::mutex> lock() const { return std::unique_lock(mutex_); }
  // With the lock.
  [[nodiscard]] const TreeFollower& follower() const { return follower_; }
  Result<wire::Zxid> wait_for(std::chrono::milliseconds timeout) const {
    if (core()->runs_here()) return would_wait_for_itself();
    auto guard = lock();
    const bool is_known =
        changed_.wait_for(guard, timeout, [this] { return has_tree_ || failed_.has_value(); });
    if (failed_) return Error(*failed_);
    if (is_known) return follower_.zxid();
    return Error{{ErrorCode::operation_timeout, "the tree was not read before the deadline"}};
  }

 private:
  void session_ended() override {
    listen();
    step([&] { return follower_.session_lost(); });
  }
  void replied(std::uint64_t number, AnyReply&& reply) override {
    step([&] { return follower_.replied(number, reply.result, reply.zxid); });
  }
  void received(std::uint64_t number, const wire::WatchEvent& event) override {
    step([&] { return follower_.received(number, event); });
  }
  void lost_watch() override {
    step([&] { return follower_.connection_lost(); });
  }
  void resumed() override {
    step([&] { return follower_.again(); });
  }

  template <typename Step>
  void step(Step make_step) {
    if (is_stopped_) return;
    FollowerActions actions;
    {
      const std::lock_guard guard(mutex_);
      actions = make_step();
      for (const FollowerAction& action : actions) note(action);
    }
    changed_.notify_all();
    for (FollowerAction& action : actions) carry_out(std::move(action));
  }
  void note(const FollowerAction& action) {
    if (std::holds_alternative<TreeChanged>(action)) has_tree_ = true;
    if (const auto* failed = std::get_if<FollowerFailed>(&action)) failed_ = failed->error;
  }
  void carry_out(FollowerAction&& action) {
    if (auto* question = std::get_if<Ask>(&action)) {
      ask(std::move(*question));
    } else if (std::holds_alternative<Pause>(action)) {
      pause();
    } else if (auto* changed = std::get_if<TreeChanged>(&action)) {
      tell(std::move(*changed));
    } else if (std::holds_alternative<TreeGap>(action)) {
      tell(TreeGap{});
    } else if (auto* unreadable = std::get_if<Unreadable>(&action)) {
      tell(std::move(*unreadable));
    } else if (auto* failed = std::get_if<FollowerFailed>(&action)) {
      tell(std::move(*failed));
      end();
    }
  }
  void tell(TreeEvent event) {
    on_event_.post(core()->executor(), std::move(event),
                   [self = shared_from_this(), this] { return !is_stopped_; });
  }
  void end() {
    unwatch();
    finish();
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  TreeFollower follower_;
  bool has_tree_ = false;
  std::optional<wire::Error> failed_;
  const Callback<TreeEvent> on_event_;
  std::atomic<bool> is_stopped_ = false;
};

TreeCache::TreeCache(const AsyncCalls& client, FollowOptions options, Callback<TreeEvent> on_event)
    : run_(std::make_shared<FollowerRun>(client.core(), std::move(options), std::move(on_event))) {
  run_->start();
}

TreeCache::~TreeCache() { run_->stop(); }

Result<wire::Zxid> TreeCache::wait_for(std::chrono::milliseconds timeout) const {
  return run_->wait_for(timeout);
}

std::optional<TreeNode> TreeCache::get(std::string_view path) const {
  const auto guard = lock();
  const auto found = nodes().find(path);
  if (found == nodes().end()) return std::nullopt;
  return found->second;
}

std::pair<TreeNodes, wire::Zxid> TreeCache::snapshot() const {
  const auto guard = lock();
  return {nodes(), zxid()};
}

std::unique_lock<std::mutex> TreeCache::lock() const { return run_->lock(); }

const TreeNodes& TreeCache::nodes() const { return run_->follower().content(); }

wire::Zxid TreeCache::zxid() const { return run_->follower().zxid(); }

}  // namespace zabkeeper
