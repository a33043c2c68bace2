#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "wire/requests.h"
#include "wire/result.h"

// What a frame of requests comes to, whatever its bytes were.
namespace wire {

// The subprotocols: the same objects, in other bytes.
enum class Format : std::uint8_t { json, cbor };

inline constexpr std::size_t nesting_max = 32;
// Requests in a frame, operations in a multi: so many tiny ones would cost far more memory than
// their text. Servers allow fewer.
inline constexpr std::size_t frame_requests_max = 16'384;
inline constexpr std::size_t id_bytes_max = 256;

// Why one request could not be read. `id` is the request's, where one could be made out.
struct BadRequest {
  RequestId id;
  Error error;
};

// One request of a frame, or why it is none. A malformed element of an array spoils that element
// only.
using ParsedRequest = boost::system::result<ClientRequest, BadRequest>;

// What a frame holds. `fault` is set if the frame is not of its format at all (or nests too
// deeply, or is too large): then `requests` has one entry that says so.
struct ParsedFrame {
  enum class Fault : std::uint8_t { none, not_utf8, not_json, not_cbor, too_deep, too_large };

  std::vector<ParsedRequest> requests;
  Fault fault = Fault::none;
};

// What becomes of a frame of `bytes` where `bytes_max` are allowed. If it was one request, that has
// its id.
[[nodiscard]] ParsedFrame frame_too_large(const ParsedFrame& parsed, std::size_t bytes,
                                          std::size_t bytes_max);

}  // namespace wire
