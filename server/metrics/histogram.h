#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace server {

// A histogram of durations. Bucket i counts durations of at most `bound(i)` that no earlier bucket
// counts; the last bucket counts those above every bound.
class Histogram {
 public:
  using Duration = std::chrono::nanoseconds;

  static constexpr std::size_t bounds = 21;  // 16 us, 32 us, ... 16.8 s
  static constexpr Duration bound(std::size_t bucket) {
    return std::chrono::microseconds(16) * (std::int64_t{1} << bucket);
  }

  void observe(Duration took) {
    const auto ns = static_cast<std::uint64_t>(std::max(took, Duration::zero()).count());
    const auto units = (std::max<std::uint64_t>(ns, 1) - 1) / unit_ns;
    counts_[std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(units)), bounds)] += 1;
    sum_ns_ += ns;
  }

  [[nodiscard]] std::uint64_t count(std::size_t bucket) const { return counts_[bucket]; }
  [[nodiscard]] Duration sum() const { return Duration(sum_ns_); }

 private:
  static constexpr std::uint64_t unit_ns = 16'000;

  std::array<std::uint64_t, bounds + 1> counts_{};
  std::uint64_t sum_ns_ = 0;
};

}  // namespace server
