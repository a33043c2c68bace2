#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "wire/bytes.h"
#include "wire/limits.h"
#include "wire/result.h"

// The frames in the stream between two servers: a length, a checksum, the bytes. TCP's own checksum
// misses one damaged segment in some tens of thousands, and bytes that a broken network card or
// tunnel has damaged must not become a transaction.
namespace server {

inline constexpr std::size_t frame_header_bytes = 12;
// 64 MiB. Frames of earlier programs were as large, so it may not become less.
inline constexpr std::uint32_t frame_bytes_max = 2 * wire::transaction_bytes_max;
// The kind, epoch and zxid before a command or a transaction.
inline constexpr std::size_t message_head_bytes_max = 1024;
static_assert(wire::command_bytes_max + message_head_bytes_max <= frame_bytes_max);
static_assert(wire::transaction_bytes_max + message_head_bytes_max <= frame_bytes_max);

// Appends `content` as one frame.
void append_frame(std::string_view content, wire::Bytes& out);

// The length of the content that a frame announces. `header` is its first frame_header_bytes.
[[nodiscard]] std::uint32_t announced_bytes(std::string_view header);

// Splits a stream into frames as it arrives.
class FrameReader {
 public:
  // Adds bytes that were received.
  void append(std::string_view bytes) { buffer_.append(bytes); }

  // The content of the next frame, valid until the next call; nothing if the frame is not complete
  // yet. An error if the bytes are no frame: then the connection has to be closed.
  [[nodiscard]] wire::Result<std::optional<std::string_view>> next();

 private:
  wire::Bytes buffer_;
  std::size_t taken_ = 0;  // bytes of buffer_ that were given out
};

}  // namespace server
