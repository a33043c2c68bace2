#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace shell {

// Interrupts a command after some time, as Ctrl-C does. If the command catches interrupts, it gets
// one. If not, only `interrupted` is set.
class TimeLimit {
 public:
  explicit TimeLimit(std::chrono::steady_clock::time_point end);
  ~TimeLimit();
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;

  [[nodiscard]] bool has_passed() const { return has_passed_; }

 private:
  void wait(std::chrono::steady_clock::time_point end);

  std::mutex mutex_;
  std::condition_variable over_;
  bool is_over_ = false;
  std::atomic<bool> has_passed_ = false;
  std::thread thread_;
};

}  // namespace shell
