#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/storage/tip.h"
#include "wire/bytes.h"
#include "wire/result.h"

namespace storage {

using wire::Result;

// Whose data this is. A file of another cluster or server is never taken for one's own.
struct Identity {
  std::array<std::uint8_t, 16> cluster{};
  zab::ServerId server;

  bool operator==(const Identity&) const = default;
};

// "server 3 of cluster 00112233445566778899aabbccddeeff"
[[nodiscard]] std::string to_string(const Identity& identity);

// What the first `header_bytes` of a segment say. FORMAT.md has the layout.
struct SegmentHeader {
  Identity identity;
  std::uint64_t sequence = 0;      // 1 for the first segment ever
  std::uint64_t first_commit = 0;  // the number of the first commit in this segment
  Tip start;                       // where the log stands before it

  bool operator==(const SegmentHeader&) const = default;
};

inline constexpr std::uint64_t header_bytes = 4096;  // records never share a sector with the header

// Exactly `header_bytes`.
[[nodiscard]] wire::Bytes encode(const SegmentHeader& header);
// The error says what is wrong, without the file's name. Of another version nothing is known but
// that: see `version_of`.
[[nodiscard]] Result<SegmentHeader> decode_header(std::string_view octets);

inline constexpr std::uint32_t format_version = 1;
// Nothing if this is no segment at all.
[[nodiscard]] std::optional<std::uint32_t> version_of(std::string_view octets);

// Differs between any two segments, of whatever server: the seed of their records' checksums.
[[nodiscard]] std::uint64_t key_of(const SegmentHeader& header);

// "log.000000000000000a" and back; nothing for other names.
[[nodiscard]] std::string segment_name(std::uint64_t sequence);
[[nodiscard]] std::optional<std::uint64_t> sequence_of(std::string_view name);

}  // namespace storage
