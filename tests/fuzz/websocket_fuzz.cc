#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "server/clients/websocket_frames.h"
#include "wire/ensure.h"

// Reads any bytes from a client after the handshake. The messages must be the same if the bytes
// arrive in pieces.
namespace {

using Seen = std::vector<std::tuple<server::Incoming::Kind, std::string, std::uint16_t>>;

constexpr std::size_t message_bytes_max = 300;

Seen read(std::string_view bytes, std::size_t piece) {
  server::WebSocketReader reader(message_bytes_max);
  Seen seen;
  while (!bytes.empty()) {
    std::string some(bytes.substr(0, piece));
    bytes.remove_prefix(some.size());
    reader.feed(some);
    while (const auto incoming = reader.next()) {
      ensure(incoming->payload.size() <= message_bytes_max, "a message is too large");
      seen.emplace_back(incoming->kind, incoming->payload, incoming->status);
      if (incoming->status != 0) return seen;
    }
  }
  return seen;
}

}  // namespace

// The first byte is the size of the pieces, less one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Seen whole = read(bytes, std::max<std::size_t>(bytes.size(), 1));
  ensure(whole == read(bytes, std::size_t{data[0]} + 1),
         "the messages depend on where the bytes were cut");
  return 0;
}
