#pragma once

#include <chrono>
#include <cstddef>

#include "wire/limits.h"

namespace server {

// The limits of a client's connection, before and beside its session. Tests make them small.
struct ClientLimits {
  std::chrono::milliseconds header_timeout{5000};   // to send a whole HTTP request header
  std::chrono::milliseconds upgrade_timeout{5000};  // to receive the response to it
  std::chrono::milliseconds first_frame_timeout{10'000};
  std::chrono::milliseconds drain_timeout{5000};      // to receive what is queued before a close
  std::chrono::milliseconds close_timeout{1000};      // to answer a WebSocket close
  std::chrono::milliseconds command_timeout{60'000};  // to carry out a command of /admin/

  std::size_t header_bytes_max = 8 * 1024;
  std::size_t first_frame_bytes_max = 64 * 1024;  // of the message that begins with a connect
  std::size_t frame_bytes_max =
      wire::frame_bytes_for(1024 * 1024);           // of a message, without escapes
  std::size_t queued_bytes_max = 16 * 1024 * 1024;  // queued for a client that does not receive
  std::size_t batch_bytes = 64 * 1024;              // one frame of a batch ends at this size
};

}  // namespace server
