#pragma once

#include <chrono>
#include <cstddef>

#include "wire/limits.h"

namespace server {

// JSON may escape a byte of data as six bytes, and the limit of a frame is twice that of data. A
// JSON message of more than this many times the limit of a frame ends the connection. A shorter one
// gets a reply. CBOR has no escapes, so there each message above the limit ends the connection.
constexpr std::size_t escapes_factor = 3;

// If less than this waits for a connection, it is never closed because others use up the budgets.
constexpr std::size_t small_queue_bytes = 16 * 1024;

// The limits of a client's connection, before and beside its session. Tests make them small.
struct ClientLimits {
  std::chrono::milliseconds header_timeout{5000};   // to send a whole HTTP request header
  std::chrono::milliseconds upgrade_timeout{5000};  // to receive the response to it
  std::chrono::milliseconds first_frame_timeout{10'000};
  std::chrono::milliseconds message_timeout{30'000};  // to send a whole message
  // To send at least this many bytes of a message that is not short.
  std::chrono::milliseconds message_interval{5000};
  std::chrono::milliseconds progress_timeout{60'000};  // to receive some of what is queued
  std::chrono::milliseconds drain_timeout{5000};       // to receive what is queued before a close
  std::chrono::milliseconds close_timeout{1000};       // to answer a WebSocket close
  std::chrono::milliseconds command_timeout{60'000};   // to carry out a command of /admin/

  std::size_t header_bytes_max = 8 * 1024;
  std::size_t first_frame_bytes_max = 256 * 1024;  // of the message that begins with a connect
  std::size_t frame_bytes_max =
      wire::frame_bytes_for(1024 * 1024);  // of a message, without escapes
  std::size_t short_message_bytes = 4 * 1024;
  std::size_t message_interval_bytes = 5 * 16 * 1024;  // 16 KiB a second
  std::size_t queued_bytes_max = 16 * 1024 * 1024;     // queued for a client that does not receive
  std::size_t batch_bytes = 64 * 1024;                 // one frame of a batch ends at this size
};

}  // namespace server
