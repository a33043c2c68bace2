#include "session/expiry.h"

#include <algorithm>
#include <utility>

namespace session {

void Expiry::add(wire::SessionId session, std::uint32_t timeout_ticks) {
  Tracked& tracked = sessions_[session];
  tracked.timeout_ticks = std::max(timeout_ticks, 1u);
  schedule(session, tracked);
}

void Expiry::touch(wire::SessionId session) {
  const auto entry = sessions_.find(session);
  if (entry != sessions_.end()) schedule(session, entry->second);
}

bool Expiry::remove(wire::SessionId session) { return sessions_.erase(session) > 0; }

bool Expiry::is_alive(wire::SessionId session) const {
  const auto entry = sessions_.find(session);
  return entry != sessions_.end() && !entry->second.due;
}

std::vector<wire::SessionId> Expiry::tick() {
  now_ += 1;
  std::vector<wire::SessionId> due;
  auto bucket = buckets_.extract(now_);
  if (!bucket) return due;

  for (const wire::SessionId session : bucket.mapped()) {
    const auto entry = sessions_.find(session);
    if (entry == sessions_.end() || entry->second.bucket != now_ || entry->second.due) continue;
    if (Tracked& tracked = entry->second; tracked.deadline > now_) {
      tracked.bucket = tracked.deadline;
      buckets_[tracked.bucket].push_back(session);
    } else {
      tracked.due = true;
      due.push_back(session);
    }
  }
  std::ranges::sort(due);
  return due;
}

void Expiry::reset() {
  for (auto& [session, tracked] : sessions_) schedule(session, tracked);
}

void Expiry::clear() {
  sessions_.clear();
  buckets_.clear();
}

void Expiry::schedule(wire::SessionId session, Tracked& tracked) {
  tracked.due = false;
  // One tick more, because the touch may have come just before the next tick.
  tracked.deadline = now_ + tracked.timeout_ticks + 1;
  // A later deadline is noticed when its bucket is checked, so that a touch does not move the
  // session.
  if (tracked.bucket > now_ && tracked.bucket <= tracked.deadline) return;
  tracked.bucket = tracked.deadline;
  buckets_[tracked.bucket].push_back(session);
}

}  // namespace session
