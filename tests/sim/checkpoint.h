#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "wire/bytes.h"
#include "zab/history.h"

namespace sim {

// What stands for the state of a server: how many transactions it has seen, and all of them in one
// number. A snapshot of it is its octets.
struct Checkpoint {
  zab::Point at;
  std::uint64_t count = 0;
  std::uint64_t state = 0;

  // What it is after one more.
  [[nodiscard]] Checkpoint after(const zab::Txn& txn) const;
  bool operator==(const Checkpoint&) const = default;
};

// Filled up with `padding` octets, so that a snapshot comes in several chunks.
[[nodiscard]] wire::Bytes encode(const Checkpoint& checkpoint, std::size_t padding);
// Nothing unless every octet is there and as it was.
[[nodiscard]] std::optional<Checkpoint> decode(std::string_view octets);

}  // namespace sim
