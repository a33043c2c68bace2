#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/bytes.h"
#include "wire/result.h"
#include "zab/credentials.h"
#include "zab/ensemble.h"

// How messages lie in the stream between two servers: a length, a checksum, the bytes. TCP's own
// checksum misses one broken segment in some tens of thousands, and what a broken network card or
// tunnel lets through must not become a transaction.
namespace server {

inline constexpr std::size_t frame_header_bytes = 12;
inline constexpr std::uint32_t frame_bytes_max = 64 * 1024 * 1024;

// Appends `content` as one frame.
void append_frame(std::string_view content, wire::Bytes& out);

// Takes frames off the front of a stream as it comes.
class FrameReader {
 public:
  // Adds what was read.
  void append(std::string_view bytes) { buffer_.append(bytes); }

  // The content of the next frame, valid until the next call; nothing if it is not all there yet.
  // An error if the stream is no longer one of frames: then the connection is to be closed.
  [[nodiscard]] wire::Result<std::optional<std::string_view>> next();

 private:
  wire::Bytes buffer_;
  std::size_t taken_ = 0;  // bytes of buffer_ that were given out
};

// The first frame of a connection, from both ends: who is there, and whom it takes the other for.
struct Hello {
  static constexpr std::uint32_t magic = 0x5a41424b;  // "ZABK"
  static constexpr std::uint16_t version = 2;

  zab::ServerId from;
  zab::ServerId to;
  std::uint64_t ensemble = 0;  // a hash of the configured members: who else is there
  zab::ClusterId cluster;      // none if the sender does not know that it belongs to one

  bool operator==(const Hello&) const = default;
};

void encode(const Hello& hello, wire::Bytes& out);
[[nodiscard]] wire::Result<Hello> decode_hello(std::string_view bytes);

}  // namespace server
