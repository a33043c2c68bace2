#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

// Always inlined: what is hashed here is short.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace znode {

// XXH3 of 64 bits: the same on every server, whatever it was compiled with.
[[nodiscard]] inline std::uint64_t hash_of(std::string_view bytes, std::uint64_t seed = 0) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

template <std::size_t size>
[[nodiscard]] std::uint64_t hash_of(const std::array<std::uint64_t, size>& words) {
  return XXH3_64bits(words.data(), sizeof words);
}

}  // namespace znode
