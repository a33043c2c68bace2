#pragma once

#include <cstdint>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "server/clients/limits.h"
#include "server/clients/stream.h"

namespace server {

// What a client speaks, as the first bytes of its connection show.
enum class Speaks : std::uint8_t {
  nothing,    // no byte came in time
  http,       // or anything else that is none of the others
  zookeeper,  // a frame's length, which begins with a zero
  word,       // a command of four letters, as operators of ZooKeeper send it
};
struct FirstBytes {
  Speaks speaks = Speaks::nothing;
  std::string bytes;  // what was read, less than 1 KiB
};

// Reads as many bytes as are needed to know.
[[nodiscard]] boost::asio::awaitable<FirstBytes> read_first_bytes(HttpStream& stream,
                                                                  const ClientLimits& limits);

// Sends the answer to a word, and closes the connection.
[[nodiscard]] boost::asio::awaitable<void> answer_word(HttpStream& stream, const std::string& text,
                                                       const ClientLimits& limits);

}  // namespace server
