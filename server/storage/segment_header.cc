#include "server/storage/segment_header.h"

#include <algorithm>
#include <utility>
#include <xxhash.h>

#include "wire/zxid.h"

namespace storage {
namespace {

constexpr std::string_view magic = "zabklog\n";
constexpr std::string_view prefix = "log.";

wire::Error wrong(std::string what) { return {wire::ErrorCode::system_error, std::move(what)}; }

wire::Bytes encode_fields(const SegmentHeader& header) {
  wire::Bytes octets;
  octets.reserve(header_bytes);
  wire::ByteWriter out(octets);
  out.raw(magic);
  out.integer(format_version);
  out.integer(header.identity.server.value);
  for (const std::uint8_t octet : header.identity.cluster) out.integer(octet);
  out.integer(header.sequence);
  out.integer(header.first_commit);
  out.epoch(header.start.accepted_epoch);
  out.integer(header.start.accepted_leader.value);
  out.epoch(header.start.current_epoch);
  out.integer<std::uint32_t>(0);
  out.zxid(header.start.last.zxid);
  out.integer(header.start.last.hash.low);
  out.integer(header.start.last.hash.high);
  return octets;
}

}  // namespace

std::string to_string(const Identity& identity) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "server " + zab::to_string(identity.server) + " of cluster ";
  for (const std::uint8_t octet : identity.cluster) {
    text += digits[octet >> 4];
    text += digits[octet & 0xf];
  }
  return text;
}

wire::Bytes encode(const SegmentHeader& header) {
  wire::Bytes octets = encode_fields(header);
  wire::ByteWriter(octets).integer(key_of(header));
  octets.resize(header_bytes, '\0');
  return octets;
}

Result<SegmentHeader> decode_header(std::string_view octets) {
  if (octets.size() < header_bytes) return wrong("shorter than a segment's header");
  if (version_of(octets) != format_version) return wrong("not the start of a segment");
  wire::ByteReader in(octets.substr(0, header_bytes));
  in.raw(magic.size() + sizeof(format_version));

  SegmentHeader header;
  header.identity.server.value = in.integer<std::uint32_t>();
  for (std::uint8_t& octet : header.identity.cluster) octet = in.integer<std::uint8_t>();
  header.sequence = in.integer<std::uint64_t>();
  header.first_commit = in.integer<std::uint64_t>();
  header.start.accepted_epoch = in.epoch();
  header.start.accepted_leader.value = in.integer<std::uint32_t>();
  header.start.current_epoch = in.epoch();
  const auto reserved = in.integer<std::uint32_t>();
  header.start.last.zxid = in.zxid();
  header.start.last.hash.low = in.integer<std::uint64_t>();
  header.start.last.hash.high = in.integer<std::uint64_t>();
  const auto checksum = in.integer<std::uint64_t>();
  if (in.failed() || reserved != 0 || checksum != key_of(header)) {
    return wrong("the header does not match its checksum");
  }
  if (std::ranges::any_of(in.raw(in.remaining()), [](char octet) { return octet != '\0'; })) {
    return wrong("the header is followed by octets that should be zero");
  }
  return header;
}

std::optional<std::uint32_t> version_of(std::string_view octets) {
  wire::ByteReader in(octets);
  const bool is_segment = in.raw(magic.size()) == magic;
  const auto version = in.integer<std::uint32_t>();
  if (!is_segment || in.failed()) return std::nullopt;
  return version;
}

std::uint64_t key_of(const SegmentHeader& header) {
  const wire::Bytes octets = encode_fields(header);
  return XXH3_64bits(octets.data(), octets.size());
}

std::string segment_name(std::uint64_t sequence) {
  return std::string(prefix) + wire::to_hex(sequence);
}

std::optional<std::uint64_t> sequence_of(std::string_view name) {
  if (!name.starts_with(prefix)) return std::nullopt;
  return wire::from_hex(name.substr(prefix.size()));
}

}  // namespace storage
