#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "wire/zxid.h"

// What a server's word is worth: which cluster it belongs to, and whether its disk still holds what
// it once promised.
namespace zab {

// 128 random bits, minted by the leader of a founding. All zeros: none yet.
struct ClusterId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  [[nodiscard]] constexpr bool none() const { return high == 0 && low == 0; }
  constexpr auto operator<=>(const ClusterId&) const = default;
};

// 32 lower-case hex digits.
[[nodiscard]] inline std::string to_string(ClusterId id) {
  return wire::to_hex(id.high) + wire::to_hex(id.low);
}

// Two that both belong to a cluster, and not to the same one.
[[nodiscard]] constexpr bool are_foreign(ClusterId a, ClusterId b) {
  return !a.none() && !b.none() && a != b;
}

// Only a sound server's promises count. The others have to take over an established leader's
// history first, for what they promised before may be lost (ZOOKEEPER-261).
enum class Condition : std::uint8_t {
  sound,
  blank,    // has never adopted a history: a new server, or one whose disk was wiped
  damaged,  // its disk is known to have lost a part of what was on it
};

// How far a damaged history reached, at least.
struct Claim {
  wire::Epoch current_epoch;
  wire::Zxid last_zxid;

  constexpr auto operator<=>(const Claim&) const = default;
};

}  // namespace zab
