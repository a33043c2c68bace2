#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

// Always inlined, because the inputs are short.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace znode {

// 64-bit XXH3: the same on all servers, independent of the compiler. For digests, and for orders
// that all servers share. Hash tables use a HashKey instead, because clients can choose texts that
// collide under this hash.
[[nodiscard]] inline std::uint64_t hash_of(std::string_view bytes, std::uint64_t seed = 0) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

template <std::size_t size>
[[nodiscard]] std::uint64_t hash_of(const std::array<std::uint64_t, size>& words) {
  return XXH3_64bits(words.data(), sizeof words);
}

}  // namespace znode
