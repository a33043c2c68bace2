#include "server/peers/frame.h"

#include <xxhash.h>

#include "zab/archive_fields.h"

namespace server {
namespace {

wire::Error broken(std::string what) {
  return {wire::ErrorCode::marshalling_error, std::move(what)};
}

}  // namespace

void append_frame(std::string_view content, wire::Bytes& out) {
  wire::ByteWriter writer(out);
  writer.integer(static_cast<std::uint32_t>(content.size()));
  writer.integer(static_cast<std::uint64_t>(XXH3_64bits(content.data(), content.size())));
  writer.raw(content);
}

wire::Result<std::optional<std::string_view>> FrameReader::next() {
  const std::string_view rest = std::string_view(buffer_).substr(taken_);
  wire::ByteReader in(rest);
  const auto length = in.integer<std::uint32_t>();
  const auto checksum = in.integer<std::uint64_t>();
  if (!in.failed() && length > frame_bytes_max) {
    return broken("a frame of " + std::to_string(length) + " bytes is announced; the maximum is " +
                  std::to_string(frame_bytes_max));
  }
  const std::string_view content = in.raw(length);
  if (in.failed()) {
    buffer_.erase(0, taken_);
    taken_ = 0;
    return std::optional<std::string_view>{};
  }
  if (XXH3_64bits(content.data(), content.size()) != checksum) {
    return broken("a frame of " + std::to_string(length) + " bytes fails its checksum");
  }
  taken_ += frame_header_bytes + length;
  return std::optional{content};
}

void encode(const Hello& hello, wire::Bytes& out) {
  wire::ByteWriter writer(out);
  writer.integer(Hello::magic);
  writer.integer(Hello::version);
  writer.integer(hello.from.value);
  writer.integer(hello.to.value);
  writer.integer(hello.ensemble);
  wire::archive::write(writer, hello.cluster);
}

wire::Result<Hello> decode_hello(std::string_view bytes) {
  wire::ByteReader in(bytes);
  const auto magic = in.integer<std::uint32_t>();
  const auto version = in.integer<std::uint16_t>();
  Hello hello;
  hello.from.value = in.integer<std::uint32_t>();
  hello.to.value = in.integer<std::uint32_t>();
  hello.ensemble = in.integer<std::uint64_t>();
  if (magic != Hello::magic) return broken("the other end is no Zabkeeper server");
  if (version != Hello::version) {
    return broken("the other server has version " + std::to_string(version) +
                  " of the peer protocol, not " + std::to_string(Hello::version));
  }
  hello.cluster = wire::archive::read<zab::ClusterId>(in);
  if (!in.complete()) return broken("the other server's greeting cannot be read");
  return hello;
}

}  // namespace server
