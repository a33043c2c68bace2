#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/peers/peer_message.h"
#include "wire/ensure.h"

// What servers say to each other, from any bytes: refused, or exactly what a server would have
// sent. Then there is one way to write a message, and nothing is lost on its way.
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
