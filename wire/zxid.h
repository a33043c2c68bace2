#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wire {

// The number of one leadership. Has 24 bits, so that an epoch and a counter fit in 64.
struct Epoch {
  std::uint32_t value = 0;

  static constexpr std::uint32_t max = (1u << 24) - 1;

  [[nodiscard]] constexpr Epoch next() const { return {value + 1}; }
  constexpr auto operator<=>(const Epoch&) const = default;
};

// The place of a transaction in the order of all transactions: the epoch of the leader that
// proposed it in the upper 24 bits, that leader's count of proposals in the lower 40. The first
// transaction of an epoch has counter 1; {0, 0} is before every transaction.
struct Zxid {
  Epoch epoch;
  std::uint64_t counter = 0;

  static constexpr unsigned counter_bits = 40;
  static constexpr std::uint64_t counter_max = (std::uint64_t{1} << counter_bits) - 1;

  [[nodiscard]] static constexpr Zxid from_bits(std::uint64_t bits) {
    return {{static_cast<std::uint32_t>(bits >> counter_bits)}, bits & counter_max};
  }
  [[nodiscard]] constexpr std::uint64_t bits() const {
    return (std::uint64_t{epoch.value} << counter_bits) | counter;
  }
  // The next zxid of the same epoch.
  [[nodiscard]] constexpr Zxid next() const { return {epoch, counter + 1}; }

  constexpr auto operator<=>(const Zxid&) const = default;
};

// 16 lower-case hex digits: the form of 64-bit numbers in JSON, where a double would round them.
[[nodiscard]] std::string to_hex(std::uint64_t value);
[[nodiscard]] inline std::string to_hex(Zxid zxid) { return to_hex(zxid.bits()); }
// Nothing if `text` is not exactly 16 lower-case hex digits.
[[nodiscard]] std::optional<std::uint64_t> from_hex(std::string_view text);

// "3:17": epoch and counter in decimal, for people.
[[nodiscard]] std::string to_string(Zxid zxid);

}  // namespace wire
