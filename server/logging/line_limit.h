#pragma once

#include <chrono>
#include <cstdint>

namespace server {

// Limits the lines of one kind in the log: at most 10 in a second, then one line with the number of
// omitted lines. Reads no clock: the caller passes the time.
class LineLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::uint32_t lines_max = 10;
  static constexpr std::chrono::seconds window{1};

  // Whether to write a line now. A second begins with the first line after the end of the last one.
  // Call `take_omitted` first.
  [[nodiscard]] bool may_write(Time now);
  // The number of lines that were omitted in a second that is over; 0 while it is not over. Counts
  // each line once.
  [[nodiscard]] std::uint64_t take_omitted(Time now);

 private:
  [[nodiscard]] bool is_over(Time now) const { return now - begin_ >= window; }

  Time begin_;  // of the present second
  std::uint32_t written_ = 0;
  std::uint64_t omitted_ = 0;
};

}  // namespace server
