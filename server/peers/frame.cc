#include "server/peers/frame.h"

#include <string>
#include <xxhash.h>

namespace server {
namespace {

wire::Error broken_frame(std::string what) {
  return {wire::ErrorCode::marshalling_error, std::move(what)};
}

}  // namespace

void append_frame(std::string_view content, wire::Bytes& out) {
  wire::ByteWriter writer(out);
  writer.integer(static_cast<std::uint32_t>(content.size()));
  writer.integer(static_cast<std::uint64_t>(XXH3_64bits(content.data(), content.size())));
  writer.raw(content);
}

std::uint32_t announced_bytes(std::string_view header) {
  return wire::ByteReader(header).integer<std::uint32_t>();
}

wire::Result<std::optional<std::string_view>> FrameReader::next() {
  const std::string_view rest = std::string_view(buffer_).substr(taken_);
  wire::ByteReader in(rest);
  const auto length = in.integer<std::uint32_t>();
  const auto checksum = in.integer<std::uint64_t>();
  if (!in.failed() && length > frame_bytes_max) {
    return broken_frame("a frame of " + std::to_string(length) +
                        " bytes is announced; the maximum is " + std::to_string(frame_bytes_max));
  }
  const std::string_view content = in.raw(length);
  if (in.failed()) {
    buffer_.erase(0, taken_);
    taken_ = 0;
    return std::optional<std::string_view>{};
  }
  if (XXH3_64bits(content.data(), content.size()) != checksum) {
    return broken_frame("a frame of " + std::to_string(length) + " bytes fails its checksum");
  }
  taken_ += frame_header_bytes + length;
  return std::optional{content};
}

}  // namespace server
