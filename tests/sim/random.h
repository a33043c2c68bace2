#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace sim {

// Random numbers that are the same on every machine and with every compiler: xoshiro256**, seeded
// by splitmix64. The standard library's distributions are not portable.
class Random {
 public:
  explicit Random(std::uint64_t seed) {
    for (std::uint64_t& word : words_) {
      seed += 0x9e3779b97f4a7c15;
      std::uint64_t mixed = seed;
      mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
      mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
      word = mixed ^ (mixed >> 31);
    }
  }

  std::uint64_t next() {
    const std::uint64_t result = std::rotl(words_[1] * 5, 7) * 9;
    const std::uint64_t shifted = words_[1] << 17;
    words_[2] ^= words_[0];
    words_[3] ^= words_[1];
    words_[1] ^= words_[2];
    words_[0] ^= words_[3];
    words_[2] ^= shifted;
    words_[3] = std::rotl(words_[3], 45);
    return result;
  }

  // 0 to bound - 1.
  std::uint64_t below(std::uint64_t bound) { return bound < 2 ? 0 : next() % bound; }
  // Both ends included.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  bool one_in(std::uint64_t count) { return below(count) == 0; }

 private:
  std::array<std::uint64_t, 4> words_{};
};

}  // namespace sim
