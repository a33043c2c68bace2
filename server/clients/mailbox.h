#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace server {

// Tasks for the one thread that runs an event loop, from another thread, done in this order. An
// event loop is woken once for all that is there when it comes to it.
class Mailbox {
 public:
  explicit Mailbox(boost::asio::io_context& io) : io_(io) {}

  void post(std::function<void()> task) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(task));
      if (std::exchange(called_, true)) return;
    }
    call();
  }

 private:
  void call() {
    boost::asio::post(io_, [this] { work(); });
  }

  // What comes meanwhile waits for its turn behind what else the event loop has to do.
  void work() {
    std::vector<std::function<void()>> tasks;
    {
      const std::lock_guard lock(mutex_);
      tasks.swap(waiting_);
    }
    for (const auto& task : tasks) task();
    const std::lock_guard lock(mutex_);
    called_ = !waiting_.empty();
    if (called_) call();
  }

  boost::asio::io_context& io_;
  std::mutex mutex_;
  std::vector<std::function<void()>> waiting_;
  bool called_ = false;  // the event loop will come to it
};

}  // namespace server
