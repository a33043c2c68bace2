#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

#include "client-lib/block.h"
#include "client-lib/stream_run.h"
#include "wire/zxid.h"

namespace zabkeeper {

// Runs a recipe that keeps something current in memory. Its first `Changed` says that it was read;
// `Failed` is its last event. The mutex guards what the strand changes and others read.
template <typename Follower, typename Event, typename Changed, typename Failed>
class FollowingRun final
    : public StreamRun<FollowingRun<Follower, Event, Changed, Failed>, Event, Failed> {
 public:
  FollowingRun(std::shared_ptr<Core> core, Follower follower, Callback<Event> on_event)
      : Base(std::move(core), std::move(on_event)), follower_(std::move(follower)) {}

  // Any thread may call these.

  [[nodiscard]] std::unique_lock<std::mutex> lock() const { return std::unique_lock(mutex_); }
  // With the lock.
  [[nodiscard]] const Follower& follower() const { return follower_; }
  Result<wire::Zxid> wait_for(std::chrono::milliseconds timeout) const {
    if (this->runs_here()) return would_wait_for_itself();
    auto guard = lock();
    const bool is_known =
        changed_.wait_for(guard, timeout, [this] { return was_read_ || failed_.has_value(); });
    if (failed_) return Error(*failed_);
    if (is_known) return follower_.zxid();
    return Error{{ErrorCode::operation_timeout, "it was not read before the deadline"}};
  }

 private:
  using Base = StreamRun<FollowingRun, Event, Failed>;
  friend Base;

  // It goes on in the next session.
  void session_ended() override {
    this->listen();
    step([](auto& follower) { return follower.session_lost(); });
  }
  void client_ended(const wire::Error& why) override {
    {
      const std::lock_guard guard(mutex_);
      failed_ = why;
    }
    changed_.notify_all();
    Base::client_ended(why);
  }
  template <typename Step>
  void step(const Step& make_step) {
    if (this->is_stopped()) return;
    decltype(make_step(follower_)) actions;
    {
      const std::lock_guard guard(mutex_);
      actions = make_step(follower_);
      for (const auto& action : actions) {
        if (std::holds_alternative<Changed>(action)) was_read_ = true;
        if (const auto* failed = std::get_if<Failed>(&action)) failed_ = failed->error;
      }
    }
    changed_.notify_all();
    this->carry_out(std::move(actions));
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Follower follower_;
  bool was_read_ = false;
  std::optional<wire::Error> failed_;
};

}  // namespace zabkeeper
