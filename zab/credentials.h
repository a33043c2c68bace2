#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "wire/zxid.h"

// A server's credentials: the cluster that it belongs to, and whether its disk still holds every
// promise that it made. They decide whether its votes and promises count.
namespace zab {

// 128 random bits, chosen by the leader that founds the cluster. All zeros: no cluster yet.
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

// Whether both are ids of a cluster, and differ.
[[nodiscard]] constexpr bool are_foreign(ClusterId a, ClusterId b) {
  return !a.none() && !b.none() && a != b;
}

// Only a sound server's promises count. A blank or damaged server may have lost earlier promises,
// so it must first adopt the history of an established leader (ZOOKEEPER-261).
enum class DiskState : std::uint8_t {
  sound,
  blank,    // has never adopted a history: a new server, or one whose disk was wiped
  damaged,  // its disk is known to have lost a part of its content
};

// A damage claim: how far a damaged history reached, at least.
struct Claim {
  wire::Epoch current_epoch;
  wire::Zxid last_zxid;

  constexpr auto operator<=>(const Claim&) const = default;
};

}  // namespace zab
