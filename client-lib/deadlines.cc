#include "client-lib/deadlines.h"

#include <boost/system/error_code.hpp>

namespace zabkeeper {

void Deadlines::add(Time time, CallId call, std::weak_ptr<void> owner) {
  if (time == none) return;
  owner_ = std::move(owner);
  calls_.emplace(time, call);
  wait();
}

void Deadlines::remove(Time time, CallId call) {
  if (calls_.erase({time, call}) == 0 || !calls_.empty()) return;
  awaited_ = none;
  timer_.cancel();  // An executor that has nothing else to do can end.
}

void Deadlines::wait() {
  if (calls_.empty() || awaited_ <= calls_.begin()->first) return;
  awaited_ = calls_.begin()->first;
  timer_.expires_at(awaited_);
  timer_.async_wait([this, owner = owner_](boost::system::error_code error) {
    const auto alive = owner.lock();
    if (error || !alive) return;
    awaited_ = none;
    const auto now = std::chrono::steady_clock::now();
    while (!calls_.empty() && calls_.begin()->first <= now) {
      const CallId call = calls_.begin()->second;
      calls_.erase(calls_.begin());
      expired_(call);
    }
    wait();
  });
}

}  // namespace zabkeeper
