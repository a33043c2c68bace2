#include "tests/sim/service/fenced_resource.h"

#include <algorithm>

#include "tests/sim/violation.h"

namespace sim {
namespace {

std::string text_of(const LockHold& hold) {
  return "user " + std::to_string(hold.user) + " with " + hold.node + " of " +
         wire::to_string(hold.czxid) + ", since " + wire::to_string(hold.since);
}

bool exclude_each_other(const LockHold& a, const LockHold& b) {
  return a.lock == b.lock && (a.kind == HoldKind::alone || b.kind == HoldKind::alone);
}

std::size_t number_in(const Znode* node) {
  return node == nullptr || node->data.empty() ? 0 : std::stoul(node->data);
}

}  // namespace

// According to the committed transactions.
bool FencedResource::is_valid(const LockHold& hold, wire::Zxid at) const {
  const Znode* node = model_.find(hold.node, at);
  return node != nullptr && node->stat.czxid == hold.czxid;
}

void FencedResource::on_acquired(const LockHold& hold) {
  if (!is_valid(hold, hold.since)) throw Violation("lock", "a hold has no node: " + text_of(hold));
  check_alone(hold);
  holds_.push_back(hold);
  if (hold.kind != HoldKind::place) return;
  for (const LockHold& each : holds_) {
    if (each.lock == hold.lock) check_places(each);
  }
}

void FencedResource::check_alone(const LockHold& hold) const {
  for (const LockHold& other : holds_) {
    if (!exclude_each_other(hold, other)) continue;
    const wire::Zxid both = std::max(hold.since, other.since);
    if (!is_valid(other, both) || !is_valid(hold, both)) continue;
    throw Violation("lock", "two users hold it: " + text_of(other) + "; " + text_of(hold));
  }
}

// Users may report their holds in another order than that of their turns.
void FencedResource::check_places(const LockHold& hold) const {
  const auto counts = [&](const LockHold& each) {
    return each.lock == hold.lock && each.since <= hold.since && is_valid(each, hold.since);
  };
  const auto count = static_cast<std::size_t>(std::ranges::count_if(holds_, counts));
  if (count <= limit_of(hold)) return;
  throw Violation("lock",
                  std::to_string(count) + " users hold " + hold.lock + ": " + text_of(hold));
}

// The greatest limit between the creation of the node and its turn.
std::size_t FencedResource::limit_of(const LockHold& hold) const {
  std::size_t limit = number_in(model_.find(hold.lock, hold.token));
  for (auto each = model_.events().upper_bound(hold.token);
       each != model_.events().end() && each->first <= hold.since; ++each) {
    limit = std::max(limit, number_in(model_.find(hold.lock, each->first)));
  }
  return limit;
}

void FencedResource::on_released(const LockHold& hold) { std::erase(holds_, hold); }

bool FencedResource::is_shared(const std::string& lock) const {
  return std::ranges::count(holds_, lock, &LockHold::lock) > 1;
}

bool FencedResource::use(const LockHold& hold) {
  Greatest& greatest = greatest_[hold.lock];
  const bool is_alone = hold.kind == HoldKind::alone;
  const wire::Zxid least = is_alone ? greatest.any : greatest.alone;
  if (hold.kind == HoldKind::place || hold.token >= least) {
    greatest.any = std::max(greatest.any, hold.token);
    if (is_alone) greatest.alone = hold.token;
    return true;
  }
  if (std::ranges::find(holds_, hold) != holds_.end() && is_valid(hold, model_.last())) {
    throw Violation("fencing", "the holder's token is refused, because a greater one was used: " +
                                   text_of(hold) + "; " + wire::to_string(least));
  }
  return false;
}

}  // namespace sim
