#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "wire/bytes.h"
#include "wire/limits.h"
#include "zab/effects.h"

namespace storage {

enum class RecordType : std::uint8_t {
  txn = 1,
  accept_epoch = 2,
  adopt_history = 3,  // the txns that it adopts follow as records of the same commit
  sealed = 4,         // the log continues in the next segment
  founded = 5,
  mark = 6,  // proves the commit before it; has no other meaning
};

// The header before every payload. FORMAT.md has the layout.
struct RecordHeader {
  std::uint64_t payload_checksum = 0;
  std::uint32_t payload_bytes = 0;  // without padding
  RecordType type{};                // may be none of the above: a later version wrote it
  bool ends_commit = false;
  std::uint64_t commit = 0;  // the commit's number: one more than that of the commit before
  zab::Point point;          // where the history ends after this record

  bool operator==(const RecordHeader&) const = default;
};

inline constexpr std::uint64_t record_header_bytes = 56;
inline constexpr std::uint64_t record_alignment = 8;
// A record's length with its padding must fit into 32 bits.
inline constexpr std::uint64_t record_payload_bytes_max =
    std::numeric_limits<std::uint32_t>::max() - record_alignment;
static_assert(wire::transaction_bytes_max <= record_payload_bytes_max);

// Where a record is. It is part of the record's checksum: at any other place the record is invalid.
struct RecordLocation {
  std::uint64_t segment_key = 0;
  std::uint64_t offset = 0;  // bytes from the start of the file
};

// The bytes that a record occupies, with padding.
[[nodiscard]] constexpr std::uint64_t record_bytes(std::uint64_t payload_bytes) {
  return record_header_bytes +
         (payload_bytes + record_alignment - 1) / record_alignment * record_alignment;
}

// The fields of a record's header that do not depend on its type, point and payload.
struct Stamp {
  std::uint64_t commit = 0;  // the commit that the record belongs to
  bool ends_commit = false;
  RecordLocation location;  // where it will be written
};

// Appends one record to `out`, to be written at `stamp.location`.
void append_record(wire::Bytes& out, RecordType type, zab::Point point, std::string_view payload,
                   const Stamp& stamp);
// The same if the caller knows `checksum`, which is zab::content_hash(payload).low.
void append_record(wire::Bytes& out, RecordType type, zab::Point point, std::string_view payload,
                   std::uint64_t checksum, const Stamp& stamp);

// Nothing unless `bytes` start with a record header that was written for this location.
[[nodiscard]] std::optional<RecordHeader> decode_record_header(std::string_view bytes,
                                                               RecordLocation location);

// The payload of an adopt_history record. Its txns follow the point in the record's header.
struct Adoption {
  zab::Epoch epoch;
  std::uint32_t txns = 0;  // how many of the records that follow belong to it
  zab::ClusterId cluster;
  bool snapshot = false;

  bool operator==(const Adoption&) const = default;
};

[[nodiscard]] wire::Bytes encode(const zab::AcceptEpoch& accept);
[[nodiscard]] wire::Bytes encode(const Adoption& adoption);
// Both return nothing if `payload` has another form, or is longer.
[[nodiscard]] std::optional<zab::AcceptEpoch> decode_accept_epoch(std::string_view payload);
[[nodiscard]] std::optional<Adoption> decode_adoption(std::string_view payload);

}  // namespace storage
