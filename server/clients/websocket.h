#pragma once

#include <functional>
#include <utility>

#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <boost/beast/websocket/teardown.hpp>

#include "wire/frames.h"

namespace server {

// What clients are spoken to through; with TLS another type takes its place. (The only header with
// Beast in it: for the .cc files of this folder.)
struct Stream : boost::beast::tcp_stream {
  using boost::beast::tcp_stream::basic_stream;

  // The WebSocket is over, and the client may take its time to hang up: Beast waits without limit.
  std::function<void()> on_teardown = [] {};
};

// Found by Beast in place of its own, for it is in the namespace of Stream.
template <typename Handler>
void async_teardown(boost::beast::role_type role, Stream& stream, Handler&& handler) {
  stream.on_teardown();
  boost::beast::websocket::async_teardown(role, stream.socket(), std::forward<Handler>(handler));
}

struct WebSocket {
  WebSocket(Stream&& transport, wire::Format spoken)
      : stream(std::move(transport)), format(spoken) {}

  boost::beast::websocket::stream<Stream> stream;
  wire::Format format;  // of the messages, by the subprotocol
};

}  // namespace server
