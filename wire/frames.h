#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "wire/requests.h"
#include "wire/result.h"

// The result of parsing a frame of requests, of either format.
namespace wire {

// The formats of the WebSocket subprotocols. Both have the same objects.
enum class Format : std::uint8_t { json, cbor };

inline constexpr std::size_t nesting_max = 32;
// The limit of requests in a frame, and of operations in a multi, while parsing: more tiny ones
// would need far more memory than their text. Servers allow fewer.
inline constexpr std::size_t frame_requests_max = 16'384;
inline constexpr std::size_t id_bytes_max = 256;

// The memory that parsing a frame may take, with its requests: 8 times its bytes, and room for
// frame_requests_max small requests or operations. A frame that needs more is refused while it is
// parsed.
inline constexpr std::size_t frame_memory_min = 12 * 1024 * 1024;
[[nodiscard]] constexpr std::size_t frame_memory_max(std::size_t frame_bytes) {
  return 8 * frame_bytes + frame_memory_min;
}

// Why one request is invalid. `id` is the request's, if it has a valid one.
struct BadRequest {
  RequestId id;
  Error error;
};

// One request of a frame, or why it is invalid. A malformed element of an array does not affect the
// others.
using ParsedRequest = boost::system::result<ClientRequest, BadRequest>;

// The requests of a frame. `fault` is set if the frame as a whole is malformed, too deep or too
// large: then `requests` has one entry with the error.
struct ParsedFrame {
  enum class Fault : std::uint8_t { none, not_utf8, not_json, not_cbor, too_deep, too_large };

  std::vector<ParsedRequest> requests;
  Fault fault = Fault::none;
  std::size_t bytes = 0;  // of the frame; 0 if its reader did not count them
};

// The frame that replaces `parsed`, which had `bytes` where `bytes_max` are allowed. Its error has
// the request's id if there was one request.
[[nodiscard]] ParsedFrame frame_too_large(const ParsedFrame& parsed, std::size_t bytes,
                                          std::size_t bytes_max);

}  // namespace wire
