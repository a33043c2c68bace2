#pragma once

#include <cstddef>

// Limits that have to fit each other: a request within a message to the leader, the transaction
// that it becomes within a record of the log and a message to every server.
namespace wire {

// No transaction takes more bytes. So each plan can be logged, sent and applied.
inline constexpr std::size_t transaction_bytes_max = std::size_t{32} << 20;
// The greatest `maxDataBytes`. The rest of a transaction is for paths, ACLs and identities.
inline constexpr std::size_t data_bytes_max = transaction_bytes_max - (std::size_t{1} << 20);
// The largest frame of a client, without escapes, if a node may have so many bytes of data. Base64
// makes data longer.
[[nodiscard]] constexpr std::size_t frame_bytes_for(std::size_t data_bytes) {
  return 2 * data_bytes + 64 * 1024;
}
// A forwarded command has the bytes of its frame, numbers of fixed width, and identities.
inline constexpr std::size_t command_bytes_max =
    frame_bytes_for(data_bytes_max) + (std::size_t{1} << 20);

}  // namespace wire
