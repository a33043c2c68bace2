#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/peers/frame.h"
#include "wire/ensure.h"

// Reads any bytes as a stream of frames between two servers. The frames, written again, must be the
// first bytes of the stream. The frames must be the same if the stream arrives in pieces.
namespace {

struct Seen {
  std::vector<std::string> frames;
  bool broken = false;  // no longer a stream of frames
};

Seen read(std::string_view stream, std::size_t piece) {
  Seen seen;
  server::FrameReader reader;
  while (!stream.empty() && !seen.broken) {
    const std::size_t size = std::min(piece, stream.size());
    reader.append(stream.substr(0, size));
    stream.remove_prefix(size);
    for (;;) {
      const auto frame = reader.next();
      if (frame.has_error()) seen.broken = true;
      if (seen.broken || !frame->has_value()) break;
      seen.frames.emplace_back(**frame);
    }
  }
  return seen;
}

}  // namespace

// The first byte is the size of the pieces, less one. The rest is the stream.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Seen whole = read(stream, std::max<std::size_t>(stream.size(), 1));
  const Seen pieces = read(stream, std::size_t{data[0]} + 1);
  ensure(whole.frames == pieces.frames && whole.broken == pieces.broken,
         "frames depend on how the stream was cut");

  wire::Bytes written;
  for (const std::string& frame : whole.frames) server::append_frame(frame, written);
  ensure(stream.starts_with(written), "a frame would have been written otherwise");

  // Random bytes rarely have a valid checksum, so this also puts the bytes into a valid frame.
  wire::Bytes framed;
  server::append_frame(stream, framed);
  const Seen one = read(framed, std::size_t{data[0]} + 1);
  ensure(!one.broken && one.frames.size() == 1 && one.frames.front() == stream,
         "a frame is not what was written");
  return 0;
}
