#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "server/metrics/counters.h"

namespace server {

// Divides the event loop between clients that ask for much and the others. What a client's replies
// took is its debt. A client with more debt than a slice waits: each turn of the event loop pays
// one slice of the debt of one client, in turns. Everybody else is served in between.
class Slices {
 public:
  // A slice is so many bytes of replies, or so much time.
  static constexpr std::chrono::microseconds time{2000};

  // One client's debt, in bytes.
  struct Debt {
    std::size_t bytes = 0;
    bool queued = false;
  };

  explicit Slices(std::size_t bytes) : bytes_(bytes) {}

  // A client's replies took so many bytes, and so long. Returns true if `pay` must be called in a
  // later turn of the event loop: the caller arranges that.
  [[nodiscard]] bool charge(std::uint64_t client, Debt& debt, std::size_t bytes,
                            SteadyClock::duration took);
  // Whether the client must wait.
  [[nodiscard]] bool is_used_up(const Debt& debt) const { return debt.bytes > bytes_; }

  // The client whose debt is paid next; none if no client has any.
  [[nodiscard]] std::optional<std::uint64_t> next();
  // Pays a slice of the debt of the client that `next` returned. A client that is gone needs no
  // call.
  void pay(std::uint64_t client, Debt& debt);
  // Whether `next` must be called in another turn.
  [[nodiscard]] bool is_waiting() const { return !queue_.empty(); }

 private:
  std::size_t bytes_;
  std::deque<std::uint64_t> queue_;  // clients with a debt that counts
};

}  // namespace server
