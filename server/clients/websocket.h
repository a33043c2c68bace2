#pragma once

#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <utility>

namespace server {

// What clients are spoken to through; with TLS another type takes its place. (The only header with
// Beast in it: for the .cc files of this folder.)
using Stream = boost::beast::tcp_stream;

struct WebSocket {
  explicit WebSocket(Stream&& transport) : stream(std::move(transport)) {}

  boost::beast::websocket::stream<Stream> stream;
};

}  // namespace server
