#pragma once

#include <chrono>
#include <cstddef>

namespace server {

// What a client gets away with, before and beside its session. Tests make these small.
struct ClientLimits {
  std::chrono::milliseconds header_timeout{5000};   // to send a whole HTTP request header
  std::chrono::milliseconds upgrade_timeout{5000};  // to take the answer to it
  std::chrono::milliseconds first_frame_timeout{10'000};
  std::chrono::milliseconds drain_timeout{5000};      // to take what is queued before a close
  std::chrono::milliseconds close_timeout{1000};      // to answer a WebSocket close
  std::chrono::milliseconds command_timeout{60'000};  // for a command of /admin/ to be done

  std::size_t header_bytes_max = 8 * 1024;
  // Of one message, without escapes; 0: what maxDataBytes needs.
  std::size_t frame_bytes_max = 0;
  std::size_t queued_bytes_max = 16 * 1024 * 1024;  // that a client has not taken yet
  std::size_t batch_bytes = 64 * 1024;              // where one frame of a batch ends
};

}  // namespace server
