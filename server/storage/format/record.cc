#include "server/storage/format/record.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

// Inline: headers are short, so calls into the library would cost more than the checksums.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "wire/ensure.h"
#include "zab/archive_fields.h"

namespace storage {
namespace {

static_assert(std::endian::native == std::endian::little,
              "checksums are computed over integers in memory, which must be little-endian");

constexpr std::uint8_t ends_commit_flag = 1;

// Offsets of the fields of a record's header.
constexpr std::size_t checksum_at = 0;
constexpr std::size_t payload_checksum_at = 8;
constexpr std::size_t length_at = 16;
constexpr std::size_t type_at = 20;
constexpr std::size_t flags_at = 21;
constexpr std::size_t zeros_at = 22;
constexpr std::size_t commit_at = 24;
constexpr std::size_t zxid_at = 32;
constexpr std::size_t hash_at = 40;

using Header = std::array<char, record_header_bytes>;

template <typename T>
void put(Header& header, std::size_t at, T value) {
  std::memcpy(header.data() + at, &value, sizeof(value));
}

// The checksum of the header behind the checksum itself. Never 0.
std::uint64_t header_checksum(std::string_view bytes, RecordLocation location) {
  const std::array<std::uint64_t, 2> where{location.segment_key, location.offset};
  const std::uint64_t seed = XXH3_64bits(where.data(), sizeof(where));
  constexpr std::size_t covered = record_header_bytes - payload_checksum_at;
  const std::uint64_t sum = XXH3_64bits_withSeed(bytes.data() + payload_checksum_at, covered, seed);
  return std::max<std::uint64_t>(sum, 1);
}

// All fields but the checksum.
RecordHeader read_header_fields(wire::ByteReader& in) {
  RecordHeader header;
  in.integer<std::uint64_t>();  // the checksum
  header.payload_checksum = in.integer<std::uint64_t>();
  header.payload_bytes = in.integer<std::uint32_t>();
  header.type = static_cast<RecordType>(in.integer<std::uint8_t>());
  header.ends_commit = (in.integer<std::uint8_t>() & ends_commit_flag) != 0;
  in.integer<std::uint16_t>();
  header.commit = in.integer<std::uint64_t>();
  header.point = wire::archive::read<zab::Point>(in);
  return header;
}

}  // namespace

void append_record(wire::Bytes& out, RecordType type, zab::Point point, std::string_view payload,
                   const Stamp& stamp) {
  append_record(out, type, point, payload, zab::content_hash(payload).low, stamp);
}

void append_record(wire::Bytes& out, RecordType type, zab::Point point, std::string_view payload,
                   std::uint64_t checksum, const Stamp& stamp) {
  ensure(payload.size() <= record_payload_bytes_max, "a record's length has 32 bits");
  Header header{};
  put(header, payload_checksum_at, checksum);
  put(header, length_at, static_cast<std::uint32_t>(payload.size()));
  put(header, type_at, type);
  put(header, flags_at, stamp.ends_commit ? ends_commit_flag : std::uint8_t{0});
  put(header, commit_at, stamp.commit);
  put(header, zxid_at, point.zxid.bits());
  put(header, hash_at, point.hash.low);
  put(header, hash_at + sizeof(point.hash.low), point.hash.high);
  put(header, checksum_at, header_checksum({header.data(), header.size()}, stamp.location));
  out.append(header.data(), header.size());
  out.append(payload);
  out.append(record_bytes(payload.size()) - record_header_bytes - payload.size(), '\0');
}

std::optional<RecordHeader> decode_record_header(std::string_view bytes, RecordLocation location) {
  if (bytes.size() < record_header_bytes) return std::nullopt;
  // A search for records calls this for megabytes of other bytes: zeros, and payloads of earlier
  // segments. So reject most of them before the checksum is computed.
  const auto flags = static_cast<std::uint8_t>(bytes[flags_at]);
  if (flags > ends_commit_flag || bytes[zeros_at] != 0 || bytes[zeros_at + 1] != 0) {
    return std::nullopt;
  }
  const auto checksum = wire::ByteReader(bytes).integer<std::uint64_t>();
  if (checksum == 0 || checksum != header_checksum(bytes, location)) return std::nullopt;
  wire::ByteReader in(bytes);
  return read_header_fields(in);
}

wire::Bytes encode(const zab::AcceptEpoch& accept) {
  wire::Bytes bytes;
  wire::ByteWriter out(bytes);
  out.epoch(accept.epoch);
  out.integer(accept.leader.value);
  return bytes;
}

wire::Bytes encode(const Adoption& adoption) {
  wire::Bytes bytes;
  wire::ByteWriter out(bytes);
  out.epoch(adoption.epoch);
  out.integer(adoption.txns);
  wire::archive::write(out, adoption.cluster);
  out.boolean(adoption.snapshot);
  return bytes;
}

std::optional<zab::AcceptEpoch> decode_accept_epoch(std::string_view payload) {
  wire::ByteReader in(payload);
  zab::AcceptEpoch accept{in.epoch(), {}};
  accept.leader.value = in.integer<std::uint32_t>();
  if (!in.complete()) return std::nullopt;
  return accept;
}

std::optional<Adoption> decode_adoption(std::string_view payload) {
  wire::ByteReader in(payload);
  Adoption adoption;
  adoption.epoch = in.epoch();
  adoption.txns = in.integer<std::uint32_t>();
  adoption.cluster = wire::archive::read<zab::ClusterId>(in);
  adoption.snapshot = in.boolean();
  if (!in.complete()) return std::nullopt;
  return adoption;
}

}  // namespace storage
