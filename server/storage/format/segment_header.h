#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/storage/format/tip.h"
#include "wire/bytes.h"
#include "wire/result.h"

namespace storage {

using wire::Result;

// Somewhere in a log.
struct LogPosition {
  std::uint64_t sequence = 0;  // of the segment
  std::uint64_t offset = 0;    // bytes from the start of its file

  bool operator==(const LogPosition&) const = default;
};

// What the first `header_bytes` of a segment say. FORMAT.md has the layout.
struct SegmentHeader {
  zab::ServerId server;            // whose log this is: never taken for another's
  std::uint64_t sequence = 0;      // 1 for the first segment ever
  std::uint64_t first_commit = 0;  // the number of the first commit in this segment
  Tip start;                       // where the log stands before it
  // Set if the segment goes on after damage: earlier segments hold up to there, all behind it in
  // them is void. Sequence 0: all of them is.
  std::optional<LogPosition> mends;

  bool operator==(const SegmentHeader&) const = default;
};

inline constexpr std::uint64_t header_bytes = 4096;  // records never share a sector with the header

// Exactly `header_bytes`.
[[nodiscard]] wire::Bytes encode(const SegmentHeader& header);
// The error says what is wrong, without the file's name; its code is `unimplemented` if another
// version of this program wrote it, of which nothing else is known.
[[nodiscard]] Result<SegmentHeader> decode_header(std::string_view bytes);

inline constexpr std::uint32_t format_version = 3;

// Differs between any two segments, of whatever server: the seed of their records' checksums.
[[nodiscard]] std::uint64_t key_of(const SegmentHeader& header);

// "log.000000000000000a" and back; nothing for other names.
[[nodiscard]] std::string segment_name(std::uint64_t sequence);
[[nodiscard]] std::optional<std::uint64_t> sequence_of(std::string_view name);
// "mended.000000000000000a" and back: the empty file that notes that this segment mends a damaged
// log. Nothing in the segments before it says that it is there.
[[nodiscard]] std::string note_name(std::uint64_t sequence);
[[nodiscard]] std::optional<std::uint64_t> noted_by(std::string_view name);

}  // namespace storage
