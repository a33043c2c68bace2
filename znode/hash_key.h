#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace znode {

// A hash for tables in memory. Another type than the hashes that are replicated (hash.h): a server
// computes it with a key of its own, so nothing may depend on it but the time of a look-up.
enum class TableHash : std::uint32_t {};

// The secret key of a server's tables whose keys clients choose, such as paths. Without it nobody
// can choose keys that collide. The default key is known to everybody: for tests and simulations.
class HashKey {
 public:
  using Secret = std::array<unsigned char, 192>;

  HashKey();
  // `secret`: random bytes.
  explicit HashKey(const Secret& secret) : secret_(secret) {}

  [[nodiscard]] TableHash operator()(std::string_view text) const;

 private:
  Secret secret_;
};

}  // namespace znode
