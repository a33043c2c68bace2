#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "server/metrics/counters.h"

namespace server {

// Divides the event loop between clients that ask for much and the others. The bytes and the time
// of a client's replies are its debt. A client with more debt than a slice waits: each turn of the
// event loop pays one slice for one such client, in rotation. Everybody else is served in between.
// Once the replies of one turn have taken several slices, all clients wait for a later turn.
class Slices {
 public:
  // A slice is this time, or the bytes that the constructor is given.
  static constexpr std::chrono::microseconds time{2000};

  // One client's debt, in bytes.
  struct Debt {
    std::size_t bytes = 0;
    bool queued = false;
  };

  explicit Slices(std::size_t bytes) : bytes_(bytes) {}

  // The number of slices that all clients together get in one turn.
  static constexpr std::size_t turn_slices = 4;

  // Adds the bytes and the time of a client's replies to its debt. Returns true if the caller must
  // arrange that `next` is called in a later turn of the event loop.
  [[nodiscard]] bool charge(std::uint64_t client, Debt& debt, std::size_t bytes,
                            SteadyClock::duration took);
  // Whether the client must wait.
  [[nodiscard]] bool is_used_up(const Debt& debt) const { return debt.bytes > bytes_; }

  // Whether all clients must wait for a later turn. A client that does so enters the queue.
  [[nodiscard]] bool is_turn_over() const { return turn_bytes_ > turn_slices * bytes_; }
  void enter(std::uint64_t client, Debt& debt);

  // A turn begins: the client that goes on; none if no client waits.
  [[nodiscard]] std::optional<std::uint64_t> next();
  // Pays a slice of the debt of the client that `next` returned. A client that is gone needs no
  // call.
  void pay(std::uint64_t client, Debt& debt);
  // Whether `next` must be called in another turn.
  [[nodiscard]] bool is_waiting() const { return !queue_.empty(); }

 private:
  std::size_t bytes_;
  std::size_t turn_bytes_ = 0;       // of all debts of this turn
  std::deque<std::uint64_t> queue_;  // clients with a debt that counts, and those that wait
};

}  // namespace server
