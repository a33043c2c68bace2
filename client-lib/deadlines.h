#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "client-lib/completion.h"

namespace zabkeeper {

// The deadlines of all calls of a client, on one timer. Used on one strand.
class Deadlines {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr Time none = Time::max();

  // `expired` gets each call whose deadline has passed, once.
  Deadlines(const boost::asio::any_io_executor& executor, std::function<void(CallId)> expired)
      : timer_(executor), expired_(std::move(expired)) {}

  // `owner` has this object as a member. `time` may be none.
  void add(Time time, CallId call, std::weak_ptr<void> owner);
  void remove(Time time, CallId call);

 private:
  void wait();

  boost::asio::steady_timer timer_;
  std::function<void(CallId)> expired_;
  std::weak_ptr<void> owner_;
  std::set<std::pair<Time, CallId>> calls_;
  Time awaited_ = none;  // by timer_
};

}  // namespace zabkeeper
