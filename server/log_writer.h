#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "server/storage/log.h"
#include "zab/effects.h"

namespace boost::asio {
class io_context;
}

namespace server {

// Writes the log on a thread of its own, so that the driver goes on while the disk works. What
// comes while one sync is under way is written by the next: group commit.
class LogWriter {
 public:
  // `failed` is called, on the writer's thread, with what went wrong if the log cannot be written:
  // nothing may be promised any more, and it is expected to end the process.
  LogWriter(boost::asio::io_context& io, storage::Log log,
            std::function<void(const wire::Error&)> failed);
  // Writes what is queued, without telling anybody, and ends the thread.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // Calls `done` on the io_context once `persist`, and everything given before it, is durable.
  void write(std::vector<zab::Persist> persist, std::function<void()> done);

 private:
  struct Order {
    std::vector<zab::Persist> persist;
    std::function<void()> done;
  };

  void run();

  boost::asio::io_context& io_;
  storage::Log log_;
  std::function<void(const wire::Error&)> failed_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Order> orders_;  // guarded by mutex_
  bool stopping_ = false;      // guarded by mutex_

  std::thread thread_;  // last: it runs as soon as it is made
};

}  // namespace server
