#pragma once

#include <chrono>
#include <cstdint>
#include <thread>

namespace bench {

// Microseconds of the steady clock.
using Micros = std::int64_t;

inline Micros now() {
  const auto time = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

constexpr Micros seconds(double count) { return static_cast<Micros>(count * 1e6); }

inline void sleep_for(Micros time) { std::this_thread::sleep_for(std::chrono::microseconds(time)); }

}  // namespace bench
