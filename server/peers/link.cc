#include "server/peers/link.h"

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "server/peers/completion.h"
#include "server/peers/handshake_places.h"

namespace server {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t link_read_bytes = 256 * 1024;

std::string remote_of(const asio::ip::tcp::socket& socket) {
  error_code gone;
  const auto endpoint = socket.remote_endpoint(gone);
  return plain(endpoint.address()).to_string() + ':' + std::to_string(endpoint.port());
}

}  // namespace

Link::Link(asio::io_context& io, asio::ip::tcp::socket socket, Options options,
           LinkCounters& counters, Callbacks callbacks)
    : io_(io),
      socket_(std::move(socket)),
      remote_(remote_of(socket_)),
      options_(std::move(options)),
      counters_(counters),
      callbacks_(std::move(callbacks)) {}

void Link::close() {
  closed_ = true;
  error_code ignored;
  socket_.close(ignored);
}

bool Link::is_contested() {
  if (contest_ == Contest::none) contest_ = Contest::begun;
  return contest_ == Contest::proved;
}

void Link::fail(const std::string& reason) {
  if (!closed_) callbacks_.failed(reason);
}

// --- Receiving ---

asio::awaitable<void> Link::receive() {
  const auto self = shared_from_this();
  wire::Bytes bytes(link_read_bytes, '\0');
  while (!closed_) {
    const auto [error, count] = co_await socket_.async_read_some(asio::buffer(bytes), use_tuple);
    if (error) co_return fail(error.message());
    silent_heartbeats_ = 0;
    if (contest_ == Contest::begun) contest_ = Contest::proved;
    reader_.append(std::string_view(bytes).substr(0, count));
    take_frames();
  }
}

void Link::take_frames() {
  while (!closed_) {
    const auto content = reader_.next();
    if (!content) return fail(content.error().message);
    if (!*content) return;
    counters_.in.add(frame_header_bytes + (*content)->size());
    auto message = decode_peer_message(**content);
    if (!message) return callbacks_.unreadable(message.error().message);
    if (!std::holds_alternative<KeepAlive>(*message)) callbacks_.received(std::move(*message));
  }
}

// --- Sending ---

void Link::send(const PeerMessage& message) {
  idle_ = false;
  queue(message);
}

bool Link::heartbeat(std::uint32_t silence_heartbeats) {
  if (closed_) return true;
  if (++silent_heartbeats_ > silence_heartbeats) return false;
  if (std::exchange(idle_, true)) queue(KeepAlive{});
  return true;
}

void Link::queue(const PeerMessage& message) {
  wire::Bytes content;
  encode(message, content);
  if (content.size() > frame_bytes_max) return refuse_to_send(content);
  append_frame(content, queued_);
  counters_.out.add(frame_header_bytes + content.size());
  if (queued() > options_.queued_bytes_max) {
    // It is better to disconnect a server that is so far behind, and to synchronize it again.
    return fail("it does not take what is sent: more than " +
                std::to_string(options_.queued_bytes_max >> 20) + " MiB wait for it");
  }
  if (std::exchange(flush_posted_, true)) return;
  asio::post(io_, [self = shared_from_this()] { self->flush(); });
}

// The other end would treat the message as damage. Later messages must not arrive without it.
void Link::refuse_to_send(std::string_view content) {
  if (closed_) return;
  counters_.too_large += 1;
  callbacks_.unsendable("a message of kind " +
                        std::to_string(static_cast<unsigned char>(content.front())) + " has " +
                        std::to_string(content.size()) + " bytes, and a frame at most " +
                        std::to_string(frame_bytes_max));
}

void Link::flush() {
  if (closed_) return;
  if (!writing_.empty()) return;  // flushes again when that is written
  flush_posted_ = false;
  if (queued_.empty()) return;
  std::swap(writing_, queued_);
  asio::async_write(socket_, asio::buffer(writing_),
                    [self = shared_from_this()](const error_code& error, std::size_t) {
                      self->writing_.clear();
                      if (error) return self->fail(error.message());
                      self->flush();
                      if (self->writing_.empty() && !self->closed_) self->callbacks_.drained();
                    });
}

}  // namespace server
