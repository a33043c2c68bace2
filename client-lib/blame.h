#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/error.h"

namespace zabkeeper {

// How a socket was lost.
struct SocketLoss {
  std::string reason;              // for people
  std::uint16_t close_status = 0;  // of the server's close frame (RFC 6455); 0: there was none
  bool reply_too_large = false;  // this client closed it, because it does not read so large a reply
};

// What a close that blames a frame proves about the requests that were sent and not answered.
struct Blame {
  // The index of a request that was certainly refused.
  std::optional<std::size_t> refused;
  // The server carried out none from this index on, because it reads nothing after the frame that
  // it blames. Those before may have been carried out.
  std::size_t not_done_from = 0;
  bool ambiguous = false;  // any of the requests may be the cause
  wire::Error error;       // of the refused request
};

// `frame_bytes` are the sizes of the frames of those requests, in the order in which they were
// sent. `last_error` is the last reply over the socket, if that was an error. Returns nothing if
// the loss blames no frame.
[[nodiscard]] std::optional<Blame> blame_of(const SocketLoss& loss,
                                            std::optional<wire::ErrorCode> last_error,
                                            const std::vector<std::size_t>& frame_bytes);

}  // namespace zabkeeper
