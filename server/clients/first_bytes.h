#pragma once

#include <cstdint>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "server/clients/limits.h"
#include "server/clients/stream.h"

namespace server {

// The protocol of a client, which the first bytes of its connection show.
enum class Speaks : std::uint8_t {
  nothing,    // no byte came in time
  http,       // also anything that is none of the others
  zookeeper,  // the first byte is 0: the length of a frame
  word,       // a four-letter command of ZooKeeper's operators
};
struct FirstBytes {
  Speaks speaks = Speaks::nothing;
  std::string bytes;  // what was read, less than 1 KiB
};

// Reads until the protocol is known, at most for `limits.header_timeout`.
[[nodiscard]] boost::asio::awaitable<FirstBytes> read_first_bytes(HttpStream& stream,
                                                                  const ClientLimits& limits);

// Sends the answer to a word, and closes the connection.
[[nodiscard]] boost::asio::awaitable<void> answer_word(HttpStream& stream, const std::string& text,
                                                       const ClientLimits& limits);

}  // namespace server
