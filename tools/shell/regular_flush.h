#pragma once

#include <chrono>
#include <ostream>

namespace shell {

// Flushes a stream many times a second. So a result appears soon, even if the command needs long to
// find the next one. A command also ends soon after the reader of its output.
class RegularFlush {
 public:
  explicit RegularFlush(std::ostream& out) : out_(out) {}

  // Call it often.
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
