#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "wire/bytes.h"
#include "zab/history.h"

namespace sim {

// Represents the state of a server: the number of its transactions, and a checksum of all of them.
// Its encoding is used as a snapshot.
struct Checkpoint {
  zab::Point at;
  std::uint64_t count = 0;
  std::uint64_t state = 0;
  // The application's image; null without an application.
  std::shared_ptr<const wire::Bytes> image;

  // The state after one more transaction.
  [[nodiscard]] Checkpoint after(const zab::Txn& txn) const;
  // Does not compare images; the application does.
  [[nodiscard]] bool operator==(const Checkpoint& other) const {
    return at == other.at && count == other.count && state == other.state;
  }
};

// Without an image, adds `padding` bytes, so that a snapshot has several chunks.
[[nodiscard]] wire::Bytes encode(const Checkpoint& checkpoint, std::size_t padding);
// None if a byte is missing or changed.
[[nodiscard]] std::optional<Checkpoint> decode(std::string_view bytes);

}  // namespace sim
