#include <optional>
#include <utility>
#include <vector>

#include "tests/sim/service/user.h"

// How a user takes, uses and releases the lock.
namespace sim {

void User::use_lock() {
  if (lock_recipe_.is_idle() && lock_random_.one_in(4)) lock_recipe_.want();
  if (!hold_) return;
  if (lock_random_.one_in(2)) use_guarded();
  if (lock_random_.one_in(6)) release_lock();
}

void User::add_lock_request(std::vector<wire::ClientRequest>& requests) {
  auto request = lock_recipe_.next();
  if (!request) return;
  requests.push_back({{}, {}, *std::move(request)});
  lock_recipe_.sent(
      wire::RequestId(std::to_string(last_id_ + static_cast<std::int64_t>(requests.size()))));
}

void User::on_lock_acquired(wire::Zxid since) {
  hold_ = LockHold{number_, session_, lock_recipe_.token(), since};
  took_final_lock_ = is_concluding_;
  world_.trace([&] { return "user " + std::to_string(number_) + "  has the lock"; });
  world_.cluster().counts().count(Rare::lock_taken);
  if (lock_recipe_.has_waited()) world_.cluster().counts().count(Rare::lock_awaited);
  world_.fenced_resource().on_acquired(*hold_);
}

void User::release_lock() {
  world_.fenced_resource().on_released(*std::exchange(hold_, std::nullopt));
  lock_recipe_.release();
}

// The use of the resource may be delayed, until another user holds the lock.
void User::use_guarded() {
  const Time delay =
      lock_random_.one_in(6) ? lock_random_.below(60 * tick) : lock_random_.below(tick);
  world_.at(world_.now() + delay, [this, hold = *hold_] {
    const bool is_accepted = world_.fenced_resource().use(hold);
    world_.cluster().counts().count(is_accepted ? Rare::token_accepted : Rare::token_refused);
  });
}

// Each user acquires the lock once more. Returns whether that is done.
bool User::take_final_lock() {
  if (!world_.options().locks || is_greedy() || (took_final_lock_ && lock_recipe_.is_idle()))
    return true;
  if (!outstanding_.empty()) return false;
  lock_recipe_.want();
  if (hold_) release_lock();
  std::vector<wire::ClientRequest> requests;
  add_lock_request(requests);
  if (!requests.empty()) send(std::move(requests));
  return false;
}

}  // namespace sim
