#include "server/storage/format/segment_header.h"

#include <utility>
#include <xxhash.h>

#include "wire/zxid.h"
#include "zab/archive_fields.h"

namespace storage {
namespace {

constexpr std::string_view magic = "zabklog\n";
constexpr std::string_view prefix = "log.";
constexpr std::string_view note_prefix = "mended.";
// Small enough that there is always a next sequence.
constexpr std::uint64_t sequence_max = std::uint64_t{1} << 62;

constexpr KnownVersions known_headers{"segment", 3, wire::newest_forms.segment};
// The first version with the name of the program that wrote the segment. Every later version has it
// at the same place.
constexpr std::uint32_t header_with_program = 4;

// Where the key is. The key is the checksum of all bytes before it.
constexpr std::size_t key_at = 120;
constexpr std::size_t written_by_at = 128;

constexpr std::uint32_t founded_flag = 1;
constexpr std::uint32_t damaged_flag = 2;
constexpr std::uint32_t mends_flag = 4;

std::optional<std::uint64_t> sequence_after(std::string_view name_prefix, std::string_view name) {
  if (!name.starts_with(name_prefix)) return std::nullopt;
  const auto sequence = wire::from_hex(name.substr(name_prefix.size()));
  if (!sequence || *sequence == 0 || *sequence > sequence_max) return std::nullopt;
  return sequence;
}

wire::Error invalid(std::string why) { return {wire::ErrorCode::system_error, std::move(why)}; }

std::uint32_t flags_of(const SegmentHeader& header) {
  return (header.start.founded ? founded_flag : 0) | (header.start.damaged ? damaged_flag : 0) |
         (header.mends ? mends_flag : 0);
}

std::uint32_t version_of(const SegmentHeader& header) {
  return wire::forms_at(header.written.level).segment;
}

// The fields that every version has: the bytes before the key.
wire::Bytes encode_fields(const SegmentHeader& header) {
  const Tip& start = header.start;
  const zab::Claim claim = start.damaged.value_or(zab::Claim{});
  const LogPosition mends = header.mends.value_or(LogPosition{});
  wire::Bytes bytes;
  bytes.reserve(header_bytes);
  wire::ByteWriter out(bytes);
  out.raw(magic);
  out.integer(version_of(header));
  out.integer(header.server.value);
  wire::archive::write(out, start.cluster);
  out.integer(header.sequence);
  out.integer(header.first_commit);
  out.epoch(start.accepted_epoch);
  out.integer(start.accepted_leader.value);
  out.epoch(start.current_epoch);
  out.integer(flags_of(header));
  wire::archive::write(out, start.last);
  out.epoch(claim.current_epoch);
  out.integer<std::uint32_t>(0);
  out.zxid(claim.last_zxid);
  out.integer(mends.sequence);
  out.integer(mends.offset);
  return bytes;
}

std::uint64_t checksum_of(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

// Appends the level, the program, and a checksum of both and of the key.
void append_written_by(wire::Bytes& bytes, const WrittenBy& written) {
  wire::ByteWriter out(bytes);
  const std::string_view program = stored_program(written);
  out.integer(written.level.value);
  out.integer(static_cast<std::uint32_t>(program.size()));
  out.raw(program);
  out.raw(std::string(program_bytes_max - program.size(), '\0'));
  out.integer(checksum_of(std::string_view(bytes).substr(key_at)));
}

// None if the bytes do not match their checksum.
std::optional<WrittenBy> read_written_by(std::string_view header) {
  wire::ByteReader in(header.substr(written_by_at));
  WrittenBy written;
  written.level.value = in.integer<std::uint32_t>();
  const auto size = in.integer<std::uint32_t>();
  const std::string_view program = in.raw(program_bytes_max);
  const std::size_t end = header.size() - in.remaining();
  const auto checksum = in.integer<std::uint64_t>();
  if (checksum != checksum_of(header.substr(key_at, end - key_at))) return std::nullopt;
  written.program = program.substr(0, size);
  return written;
}

std::optional<std::uint32_t> version_of(std::string_view bytes) {
  wire::ByteReader in(bytes);
  const bool is_segment = in.raw(magic.size()) == magic;
  const auto version = in.integer<std::uint32_t>();
  if (!is_segment || in.failed()) return std::nullopt;
  return version;
}

// Every version has the key at this place. So damage to the version number is not taken for another
// version.
bool matches_key(std::string_view bytes) {
  return wire::ByteReader(bytes.substr(key_at)).integer<std::uint64_t>() ==
         checksum_of(bytes.substr(0, key_at));
}

SegmentHeader read_fields(wire::ByteReader& in) {
  SegmentHeader header;
  header.server.value = in.integer<std::uint32_t>();
  Tip& start = header.start;
  start.cluster = wire::archive::read<zab::ClusterId>(in);
  header.sequence = in.integer<std::uint64_t>();
  header.first_commit = in.integer<std::uint64_t>();
  start.accepted_epoch = in.epoch();
  start.accepted_leader.value = in.integer<std::uint32_t>();
  start.current_epoch = in.epoch();
  const auto flags = in.integer<std::uint32_t>();
  start.last = wire::archive::read<zab::Point>(in);
  const wire::Epoch claimed_epoch = in.epoch();
  in.integer<std::uint32_t>();
  const wire::Zxid claimed_zxid = in.zxid();
  LogPosition mends;
  mends.sequence = in.integer<std::uint64_t>();
  mends.offset = in.integer<std::uint64_t>();
  start.founded = (flags & founded_flag) != 0;
  if ((flags & damaged_flag) != 0) start.damaged = {claimed_epoch, claimed_zxid};
  if ((flags & mends_flag) != 0) header.mends = mends;
  return header;
}

}  // namespace

wire::Bytes encode(const SegmentHeader& header) {
  wire::Bytes bytes = encode_fields(header);
  wire::ByteWriter(bytes).integer(checksum_of(bytes));
  if (version_of(header) >= header_with_program) append_written_by(bytes, header.written);
  bytes.resize(header_bytes, '\0');
  return bytes;
}

Result<SegmentHeader> decode_header(std::string_view bytes) {
  if (bytes.size() < header_bytes) return invalid("the file is shorter than a segment's header");
  bytes = bytes.substr(0, header_bytes);
  const auto version = version_of(bytes);
  if (!version) return invalid("the file does not begin like a segment");
  std::optional<WrittenBy> written;
  if (*version >= header_with_program) written = read_written_by(bytes);
  if (matches_key(bytes) && !known_headers.contains(*version)) {
    return unknown_version(known_headers, *version, written);
  }
  wire::ByteReader in(bytes);
  in.raw(magic.size() + sizeof(*version));
  SegmentHeader header = read_fields(in);
  header.written = written.value_or(WrittenBy{});
  if (in.failed() || encode(header) != bytes) {
    return invalid("the header does not match its checksum");
  }
  if (!wire::known_levels.contains(header.written.level)) {
    return unknown_version(known_headers, *version, header.written);
  }
  if (header.mends && header.mends->sequence >= header.sequence) {
    return invalid("the header says that its segment mends a segment that is not earlier");
  }
  const Tip& start = header.start;
  if (start.last.zxid.epoch > start.current_epoch || start.current_epoch > start.accepted_epoch) {
    return invalid("the header matches its checksum, but its epochs contradict each other");
  }
  return header;
}

std::uint64_t key_of(const SegmentHeader& header) { return checksum_of(encode_fields(header)); }

std::string segment_name(std::uint64_t sequence) {
  return std::string(prefix) + wire::to_hex(sequence);
}

std::optional<std::uint64_t> sequence_of(std::string_view name) {
  return sequence_after(prefix, name);
}

std::string mend_note_name(std::uint64_t sequence) {
  return std::string(note_prefix) + wire::to_hex(sequence);
}

std::optional<std::uint64_t> sequence_of_mend_note(std::string_view name) {
  return sequence_after(note_prefix, name);
}

}  // namespace storage
