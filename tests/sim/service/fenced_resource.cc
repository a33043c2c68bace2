#include "tests/sim/service/fenced_resource.h"

#include <algorithm>

#include "tests/sim/violation.h"

namespace sim {
namespace {

std::string text_of(const LockHold& hold) {
  return "user " + std::to_string(hold.user) + " with " + wire::to_string(hold.token) +
         " of session " + wire::to_hex(hold.session.value) + ", since " +
         wire::to_string(hold.since);
}

}  // namespace

// According to the committed transactions.
bool FencedResource::is_open(wire::SessionId session, wire::Zxid at) const {
  const auto found = model_.sessions().find(session);
  if (found == model_.sessions().end() || found->second.opened > at) return false;
  return found->second.closed == wire::Zxid{} || found->second.closed > at;
}

void FencedResource::on_acquired(const LockHold& hold) {
  for (const LockHold& other : holds_) {
    const wire::Zxid both = std::max(hold.since, other.since);
    if (!is_open(other.session, both) || !is_open(hold.session, both)) continue;
    throw Violation("lock", "two users hold it: " + text_of(other) + "; " + text_of(hold));
  }
  holds_.push_back(hold);
}

void FencedResource::on_released(const LockHold& hold) { std::erase(holds_, hold); }

bool FencedResource::use(const LockHold& hold) {
  if (hold.token >= greatest_) {
    greatest_ = hold.token;
    return true;
  }
  if (std::ranges::find(holds_, hold) != holds_.end() && is_open(hold.session, model_.last())) {
    throw Violation("fencing", "the holder's token is refused, because a greater one was used: " +
                                   text_of(hold) + "; " + wire::to_string(greatest_));
  }
  return false;
}

}  // namespace sim
