#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "wire/bytes.h"
#include "zab/effects.h"

namespace storage {

enum class RecordType : std::uint8_t {
  txn = 1,
  accept_epoch = 2,
  adopt_history = 3,  // the txns that it adopts follow as records of the same commit
  sealed = 4,         // the log goes on in the next segment
  founded = 5,
  mark = 6,  // proves the commit before it, and means nothing else
};

// What stands before every payload. FORMAT.md has the layout.
struct RecordHeader {
  std::uint64_t payload_checksum = 0;
  std::uint32_t payload_bytes = 0;  // without padding
  RecordType type{};                // perhaps none of the above: a later version wrote it
  bool ends_commit = false;
  std::uint64_t commit = 0;  // the same for all records of one commit, one more in the next
  zab::Point point;          // where the history ends after this record

  bool operator==(const RecordHeader&) const = default;
};

inline constexpr std::uint64_t record_header_bytes = 56;
inline constexpr std::uint64_t record_alignment = 8;

// Where a record is. Goes into its checksum, so that it is valid nowhere else.
struct RecordLocation {
  std::uint64_t segment_key = 0;
  std::uint64_t offset = 0;  // bytes from the start of the file
};

// Bytes that a record occupies, padding included.
[[nodiscard]] constexpr std::uint64_t record_bytes(std::uint64_t payload_bytes) {
  return record_header_bytes +
         (payload_bytes + record_alignment - 1) / record_alignment * record_alignment;
}

// To which commit a record belongs, and where it will be written.
struct Stamp {
  std::uint64_t commit = 0;
  bool ends_commit = false;
  RecordLocation place;
};

// Appends one record to `out`, which is valid there alone.
void append_record(wire::Bytes& out, RecordType type, zab::Point point, std::string_view payload,
                   const Stamp& stamp);
// The same where zab::content_hash(payload).low is known.
void append_record(wire::Bytes& out, RecordType type, zab::Point point, std::string_view payload,
                   std::uint64_t checksum, const Stamp& stamp);

// Nothing unless `bytes` start with a record header that was written for this place.
[[nodiscard]] std::optional<RecordHeader> decode_record_header(std::string_view bytes,
                                                               RecordLocation place);
// The payload of an adopt_history record. What comes before its txns is the record's own point.
struct Adoption {
  zab::Epoch epoch;
  std::uint32_t txns = 0;  // records that follow and belong to it
  zab::ClusterId cluster;
  bool snapshot = false;

  bool operator==(const Adoption&) const = default;
};

[[nodiscard]] wire::Bytes encode(const zab::AcceptEpoch& accept);
[[nodiscard]] wire::Bytes encode(const Adoption& adoption);
// Nothing if the payload is not exactly that.
[[nodiscard]] std::optional<zab::AcceptEpoch> decode_accept_epoch(std::string_view payload);
[[nodiscard]] std::optional<Adoption> decode_adoption(std::string_view payload);

}  // namespace storage
