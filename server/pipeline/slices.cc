#include "server/pipeline/slices.h"

#include <algorithm>

namespace server {

bool Slices::charge(std::uint64_t client, Debt& debt, std::size_t bytes,
                    SteadyClock::duration took) {
  using Microseconds = std::chrono::duration<double, std::micro>;
  const double slices = Microseconds(took) / Microseconds(time);
  debt.bytes += bytes + static_cast<std::size_t>(slices * static_cast<double>(bytes_));
  // Small debts need no payment: who asks for little is never in the queue.
  if (debt.queued || debt.bytes <= bytes_ / 8) return false;
  debt.queued = true;
  queue_.push_back(client);
  return queue_.size() == 1;
}

std::optional<std::uint64_t> Slices::next() {
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
