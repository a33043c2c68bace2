#include "server/storage/format/checkpoint_label.h"

#include <optional>
#include <xxhash.h>

#include "server/storage/format/written_by.h"
#include "zab/archive_fields.h"

namespace storage {
namespace {

constexpr KnownVersions known_labels{"label", 1, wire::newest_forms.label};
// The first version that says who wrote it, at a place that every later one keeps.
constexpr std::uint8_t label_with_program = 2;

constexpr std::size_t checksum_bytes = 8;

std::uint64_t label_checksum(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

wire::Error damaged() {
  return {wire::ErrorCode::system_error, "the checkpoint's label is damaged"};
}

// The bytes without the checksum; nothing if they do not match it. Every version ends with it. So
// damage to the version number is not taken for another version.
std::optional<std::string_view> intact_fields(std::string_view bytes) {
  if (bytes.size() < checksum_bytes) return std::nullopt;
  const std::string_view fields = bytes.substr(0, bytes.size() - checksum_bytes);
  wire::ByteReader in(bytes.substr(fields.size()));
  if (in.integer<std::uint64_t>() != label_checksum(fields)) return std::nullopt;
  return fields;
}

// Nothing if this version does not say it.
std::optional<WrittenBy> read_written_by(std::uint8_t version, wire::ByteReader& in) {
  if (version < label_with_program) return std::nullopt;
  WrittenBy written;
  written.level.value = in.integer<std::uint32_t>();
  written.program = in.string();
  return in.failed() ? std::nullopt : std::optional(std::move(written));
}

}  // namespace

wire::Bytes encode(const CheckpointLabel& label) {
  const std::uint8_t version = wire::forms_at(label.level).label;
  wire::Bytes bytes;
  wire::ByteWriter out(bytes);
  out.integer(version);
  if (version >= label_with_program) {
    out.integer(label.level.value);
    out.string(stored_program({label.level, label.program}));
  }
  out.integer(label.server.value);
  wire::archive::write(out, label.cluster);
  wire::archive::write(out, label.at);
  out.integer(label_checksum(bytes));
  return bytes;
}

Result<CheckpointLabel> decode_label(std::string_view bytes) {
  const auto fields = intact_fields(bytes);
  if (!fields) return damaged();
  wire::ByteReader in(*fields);
  const auto version = in.integer<std::uint8_t>();
  const auto written = read_written_by(version, in);
  if (!known_labels.contains(version)) return unknown_version(known_labels, version, written);
  CheckpointLabel label;
  if (written) {
    label.level = written->level;
    label.program = written->program;
  }
  label.server.value = in.integer<std::uint32_t>();
  label.cluster = wire::archive::read<zab::ClusterId>(in);
  label.at = wire::archive::read<zab::Point>(in);
  if (!in.complete()) return damaged();
  if (!wire::known_levels.contains(label.level))
    return unknown_version(known_labels, version, written);
  return label;
}

}  // namespace storage
