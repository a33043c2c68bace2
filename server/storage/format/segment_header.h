#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/storage/format/tip.h"
#include "server/storage/format/written_by.h"
#include "wire/bytes.h"
#include "wire/result.h"

namespace storage {

using wire::Result;

// A place in a log.
struct LogPosition {
  std::uint64_t sequence = 0;  // of the segment
  std::uint64_t offset = 0;    // bytes from the start of its file

  bool operator==(const LogPosition&) const = default;
};

// The content of the first `header_bytes` of a segment. FORMAT.md has the layout.
struct SegmentHeader {
  zab::ServerId server;            // the log's owner; no other server uses the log
  std::uint64_t sequence = 0;      // 1 for the first segment ever
  std::uint64_t first_commit = 0;  // the number of the first commit in this segment
  Tip start;                       // the state of the log before this segment
  // Set if the segment mends a damaged log. Earlier segments are valid up to this position; what is
  // behind it in them is void. Sequence 0: all of them are void.
  std::optional<LogPosition> mends;
  // Decides the version. The header of the extent always has level 0.
  WrittenBy written = {};

  bool operator==(const SegmentHeader&) const = default;
};

inline constexpr std::uint64_t header_bytes = 4096;  // so no record shares a sector with the header

// Exactly `header_bytes`, in the version of its level.
[[nodiscard]] wire::Bytes encode(const SegmentHeader& header);
// Reads every known version. An error says what is wrong, without the file's name. Its code is
// `unimplemented` if the header is intact, and of a version or of a level that this program does
// not know. Otherwise it is damaged: `system_error`.
[[nodiscard]] Result<SegmentHeader> decode_header(std::string_view bytes);

// The seed of the checksums of a segment's records. Any two segments have different keys, also if
// they are of different servers.
[[nodiscard]] std::uint64_t key_of(const SegmentHeader& header);

// 10 <-> "log.000000000000000a". Nothing for other names.
[[nodiscard]] std::string segment_name(std::uint64_t sequence);
[[nodiscard]] std::optional<std::uint64_t> sequence_of(std::string_view name);
// 10 <-> "mended.000000000000000a": an empty file, the note that this segment mends a damaged log.
// The segments before it do not say that it exists.
[[nodiscard]] std::string mend_note_name(std::uint64_t sequence);
[[nodiscard]] std::optional<std::uint64_t> sequence_of_mend_note(std::string_view name);

}  // namespace storage
