#include "session/expiry.h"

#include <algorithm>
#include <utility>

namespace session {

void Expiry::add(wire::SessionId session, std::uint32_t timeout_ticks) {
  Watched& watched = sessions_[session];
  watched.timeout_ticks = std::max(timeout_ticks, 1u);
  put(session, watched);
}

void Expiry::touch(wire::SessionId session) {
  const auto entry = sessions_.find(session);
  if (entry != sessions_.end()) put(session, entry->second);
}

void Expiry::remove(wire::SessionId session) { sessions_.erase(session); }

std::vector<wire::SessionId> Expiry::tick() {
  now_ += 1;
  std::vector<wire::SessionId> expired;
  auto bucket = buckets_.extract(now_);
  if (!bucket) return expired;

  for (const wire::SessionId session : bucket.mapped()) {
    const auto entry = sessions_.find(session);
    if (entry == sessions_.end() || entry->second.bucket != now_) continue;
    if (Watched& watched = entry->second; watched.deadline > now_) {
      watched.bucket = watched.deadline;
      buckets_[watched.bucket].push_back(session);
    } else {
      expired.push_back(session);
      sessions_.erase(entry);
    }
  }
  std::ranges::sort(expired);
  return expired;
}

void Expiry::reset() {
  for (auto& [session, watched] : sessions_) put(session, watched);
}

void Expiry::clear() {
  sessions_.clear();
  buckets_.clear();
}

void Expiry::put(wire::SessionId session, Watched& watched) {
  // One more, for the touch may have come just before the next tick.
  watched.deadline = now_ + watched.timeout_ticks + 1;
  // A later deadline is found out about when the bucket's turn comes: a touch costs no move.
  if (watched.bucket > now_ && watched.bucket <= watched.deadline) return;
  watched.bucket = watched.deadline;
  buckets_[watched.bucket].push_back(session);
}

}  // namespace session
