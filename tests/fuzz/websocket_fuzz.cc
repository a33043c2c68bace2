#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "server/clients/websocket_frames.h"
#include "wire/ensure.h"

// What a client sends after the handshake, any bytes and cut anywhere: where they are cut makes no
// difference, and a frame that is written is read as it was.
namespace {

using Seen = std::vector<std::tuple<server::Incoming::Kind, std::string, std::uint16_t>>;

constexpr std::size_t message_bytes_max = 300;

Seen read(std::string_view bytes, std::size_t piece) {
  server::WebSocketReader reader(message_bytes_max);
  Seen seen;
  std::string there;
  while (!bytes.empty()) {
    const std::size_t size = std::min(piece, bytes.size());
    there += bytes.substr(0, size);
    bytes.remove_prefix(size);
    std::span<char> rest(there);
    while (const auto incoming = reader.next(rest)) {
      ensure(incoming->payload.size() <= message_bytes_max, "a message is too large");
      seen.emplace_back(incoming->kind, incoming->payload, incoming->status);
      if (incoming->status != 0) return seen;
    }
    there.erase(0, there.size() - rest.size());
  }
  return seen;
}

}  // namespace

// The first byte says into what pieces the rest is cut.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Seen whole = read(bytes, std::max<std::size_t>(bytes.size(), 1));
  ensure(whole == read(bytes, std::size_t{data[0]} + 1), "it matters how the bytes were cut");
  return 0;
}
