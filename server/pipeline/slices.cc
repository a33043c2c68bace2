#include "server/pipeline/slices.h"

#include <algorithm>
#include <utility>

namespace server {

bool Slices::charge(std::uint64_t client, Debt& debt, std::size_t bytes,
                    SteadyClock::duration took) {
  using Microseconds = std::chrono::duration<double, std::micro>;
  const double slices = Microseconds(took) / Microseconds(time);
  const std::size_t more = bytes + static_cast<std::size_t>(slices * static_cast<double>(bytes_));
  const bool was_over = is_turn_over();
  const bool was_waiting = is_waiting();
  debt.bytes += more;
  turn_bytes_ += more;
  // A small debt needs no payment, so a client that asks for little is never in the queue.
  if (debt.bytes > bytes_ / 8) enter(client, debt);
  return (is_waiting() && !was_waiting) || (is_turn_over() && !was_over);
}

void Slices::enter(std::uint64_t client, Debt& debt) {
  if (std::exchange(debt.queued, true)) return;
  queue_.push_back(client);
}

std::optional<std::uint64_t> Slices::next() {
  turn_bytes_ = 0;
  if (queue_.empty()) return std::nullopt;
  const std::uint64_t client = queue_.front();
  queue_.pop_front();
  return client;
}

void Slices::pay(std::uint64_t client, Debt& debt) {
  debt.bytes -= std::min(debt.bytes, bytes_);
  debt.queued = debt.bytes > 0;
  if (debt.queued) queue_.push_back(client);
}

}  // namespace server
