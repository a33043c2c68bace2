#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <limits>
#include <string>
#include <vector>

#include "znode/hash.h"
#include "znode/hash_key.h"

// Texts that collide in a table whose hash is known to everybody, and the time that they cost.
namespace znode {

inline HashKey::Secret a_secret(unsigned seed) {
  HashKey::Secret secret{};
  for (unsigned char& byte : secret)
    byte = static_cast<unsigned char>(seed = seed * 2654435761u + 1);
  return secret;
}

// With this key a table has the fixed hash.
inline HashKey fixed_key() {
  HashKey::Secret secret{};
  static_assert(sizeof XXH3_kSecret == sizeof secret);
  std::memcpy(secret.data(), XXH3_kSecret, sizeof secret);
  return HashKey(secret);
}

// Texts of `bytes` bytes, without slashes after the first byte, that begin with a slash. All of
// them collide under the fixed hash, whatever is done with its value, if `before` equal bytes are
// hashed before each. XXH3 multiplies both halves of 8 bytes with each other, after it has mixed
// them with a secret. Where one half becomes 0, only the sum of such 8 bytes at two places counts.
inline std::vector<std::string> colliding_texts(std::size_t count, std::size_t bytes = 301,
                                                std::size_t before = 0) {
  std::vector<std::string> texts;
  for (std::uint32_t number = 0x01010101; texts.size() < count; ++number) {
    std::string text = "/" + std::string(bytes - 1, 'x');
    const std::uint32_t other = 0u - number;
    std::memcpy(text.data() + 16 - before, XXH3_kSecret + 16, 4);
    std::memcpy(text.data() + 20 - before, &number, 4);
    std::memcpy(text.data() + 80 - before, XXH3_kSecret + 24, 4);
    std::memcpy(text.data() + 84 - before, &other, 4);
    if (text.find('/', 1) == std::string::npos) texts.push_back(text);
  }
  return texts;
}

// How many times as long `work` takes with the fixed key as with another one, in processor time of
// this thread. Work that hardly depends on the key is near 1: then the table does not use its key.
template <class Work>
double slowdown_of_fixed_key(const Work& work) {
  const auto cost = [&](const HashKey& key) {
    timespec begin{};
    timespec end{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    work(key);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    return static_cast<double>(end.tv_sec - begin.tv_sec) +
           static_cast<double>(end.tv_nsec - begin.tv_nsec) / 1e9;
  };
  double keyed = std::numeric_limits<double>::max();
  for (unsigned round = 1; round <= 3; ++round) {
    keyed = std::min(keyed, cost(HashKey(a_secret(round))));
  }
  return cost(fixed_key()) / keyed;
}

}  // namespace znode
