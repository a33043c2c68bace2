#include "server/replication/result_queue.h"

#include <utility>

namespace server {

bool ResultQueue::hand_on() {
  if (is_held()) return false;
  const auto end = now_() + turn_max;
  do {
    hand_on_first();
    if (is_held()) return false;
  } while (now_() < end);
  return true;
}

bool ResultQueue::reach_snapshot() {
  while (!is_held()) hand_on_first();
  return !results_.empty();
}

void ResultQueue::hand_on_first() {
  Result next = std::move(results_.front());
  results_.pop_front();
  sink_(next);
}

}  // namespace server
