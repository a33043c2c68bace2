#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/peers/peer_message.h"
#include "wire/ensure.h"

// Reads any bytes as a message between servers. The bytes are refused, or are exactly those that a
// server would send. So every message has only one encoding, and decoding loses nothing.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto message = server::decode_peer_message(bytes);
  if (message.has_error()) return 0;

  wire::Bytes written;
  server::encode(*message, written);
  ensure(written == bytes, "a message would have been written otherwise");

  const auto again = server::decode_peer_message(written);
  ensure(again.has_value(), "a message that was written is not understood");
  wire::Bytes rewritten;
  server::encode(*again, rewritten);
  ensure(rewritten == written, "a message would change on its way");
  return 0;
}
