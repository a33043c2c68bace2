#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "wire/bytes.h"
#include "zab/history.h"

namespace sim {

// What stands for the state of a server: how many transactions it has seen, and all of them in one
// number. A snapshot of it is its bytes.
struct Checkpoint {
  zab::Point at;
  std::uint64_t count = 0;
  std::uint64_t state = 0;
  // What a tenant stores of it; none where there is no tenant.
  std::shared_ptr<const wire::Bytes> image;

  // What it is after one more.
  [[nodiscard]] Checkpoint after(const zab::Txn& txn) const;
  // Of the transactions; an image is for its tenant to compare.
  [[nodiscard]] bool operator==(const Checkpoint& other) const {
    return at == other.at && count == other.count && state == other.state;
  }
};

// Without an image filled up with `padding` bytes, so that a snapshot comes in several chunks.
[[nodiscard]] wire::Bytes encode(const Checkpoint& checkpoint, std::size_t padding);
// Nothing unless every byte is there and as it was.
[[nodiscard]] std::optional<Checkpoint> decode(std::string_view bytes);

}  // namespace sim
