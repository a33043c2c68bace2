#pragma once

#include <chrono>
#include <ostream>

namespace shell {

// Writes what is buffered many times a second. So a result is seen soon, however long the command
// looks for the next one, and a command whose reader has gone ends soon.
class RegularFlush {
 public:
  explicit RegularFlush(std::ostream& out) : out_(out) {}

  // To be called often.
  void tick() {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + std::chrono::milliseconds(50);
    out_.flush();
  }

 private:
  std::ostream& out_;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace shell
