#include "tools/shell/time_limit.h"

#include <csignal>
#include <unistd.h>

#include "tools/shell/interrupted.h"

namespace shell {

TimeLimit::TimeLimit(std::chrono::steady_clock::time_point end)
    : thread_([this, end] { wait(end); }) {}

TimeLimit::~TimeLimit() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  over_.notify_one();
  thread_.join();
}

void TimeLimit::wait(std::chrono::steady_clock::time_point end) {
  std::unique_lock lock(mutex_);
  if (over_.wait_until(lock, end, [this] { return is_over_; })) return;
  has_passed_ = true;
  struct sigaction action {};
  const bool is_known = ::sigaction(SIGINT, nullptr, &action) == 0;
  const bool is_caught =
      is_known && ((action.sa_flags & SA_SIGINFO) != 0 ||
                   (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN));
  if (is_caught) {
    ::kill(::getpid(), SIGINT);
  } else {
    interrupted = true;
  }
}

}  // namespace shell
