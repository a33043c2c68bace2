#include "session/image.h"

#include <tuple>
#include <utility>

#include "session/archive_fields.h"
#include "wire/unknown_version.h"

template <>
inline constexpr auto wire::archive::fields<session::ImageHeader> =
    std::tuple(&session::ImageHeader::zxid, &session::ImageHeader::time,
               &session::ImageHeader::digest, &session::ImageHeader::nodes);

namespace session {
namespace {

// The first byte of a header: the version of the image's form.
constexpr std::uint8_t oldest_image = 1;
constexpr std::uint8_t image_with_level = 2;  // the first with a level
constexpr std::uint8_t newest_version = wire::newest_forms.image;

constexpr std::size_t number_bytes = sizeof(std::uint64_t);

// Numbers are big-endian, so that the order of keys is the order of the numbers.
wire::Bytes key_of(RecordKind kind, std::uint64_t number) {
  wire::Bytes key(1, static_cast<char>(kind));
  for (std::size_t i = number_bytes; i-- > 0;) key.push_back(static_cast<char>(number >> (8 * i)));
  return key;
}

wire::Error malformed(const char* what) { return {wire::ErrorCode::marshalling_error, what}; }

}  // namespace

Record encode(const ImageHeader& header) {
  Record record{key_of(RecordKind::header, 0), wire::Bytes()};
  wire::ByteWriter out(*record.value);
  const std::uint8_t version = wire::forms_at(header.level).image;
  out.integer(version);
  wire::archive::write(out, header);
  if (version >= image_with_level) out.integer(header.level.value);
  return record;
}

Record to_record(znode::NodeRecord node) {
  return {key_of(RecordKind::node, node.serial), std::move(node.bytes)};
}

Record to_record(SessionRecord session) {
  return {key_of(RecordKind::session, session.id.value), std::move(session.bytes)};
}

wire::Result<RecordKey> decode_key(std::string_view key) {
  if (key.size() != 1 + number_bytes) return malformed("a stored record has a malformed key");
  const auto kind = static_cast<std::uint8_t>(key.front());
  if (kind < 1 || kind > 3) {
    return wire::Error{wire::ErrorCode::unimplemented,
                       "a stored record is of unknown kind " + std::to_string(kind)};
  }
  RecordKey decoded{RecordKind{kind}, 0};
  for (const char byte : key.substr(1)) {
    decoded.number = decoded.number << 8 | static_cast<unsigned char>(byte);
  }
  return decoded;
}

wire::Result<ImageHeader> decode_header(std::string_view value) {
  wire::ByteReader in(value);
  const auto version = in.integer<std::uint8_t>();
  if (!in.failed() && (version < oldest_image || version > newest_version)) {
    return wire::unknown_version("a stored state", version);
  }
  auto header = wire::archive::read<ImageHeader>(in);
  if (version >= image_with_level) header.level.value = in.integer<std::uint32_t>();
  if (!in.complete()) return malformed("a stored state's header is malformed");
  return header;
}

}  // namespace session
