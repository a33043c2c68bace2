#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/tcp_stream.hpp>

// What clients are spoken to through. With TLS other types take the place of these two.
namespace server {

// Before the upgrade.
using HttpStream = boost::beast::tcp_stream;

// After it. Nothing of a connection that says nothing waits in a buffer of its own: first its
// client is waited for, then read into memory that others use, too.
class Stream {
 public:
  using Error = boost::system::error_code;

  explicit Stream(HttpStream&& http) : socket_(http.release_socket()) {
    Error ignored;
    socket_.non_blocking(true, ignored);
  }

  [[nodiscard]] auto get_executor() { return socket_.get_executor(); }
  // To the event loop of another thread, which calls this; nothing is under way. A stream that
  // cannot be moved is closed.
  void move_to(boost::asio::io_context& io) {
    Error error;
    const auto protocol = socket_.local_endpoint(error).protocol();
    boost::asio::ip::tcp::socket moved(io);
    if (!error) moved.assign(protocol, socket_.release(error), error);
    socket_ = std::move(moved);
    socket_.non_blocking(true, error);
  }

  // `handler(Error)` is called once there may be something to read.
  template <class Handler>
  void async_wait_readable(Handler handler) {
    socket_.async_wait(boost::asio::socket_base::wait_read, std::move(handler));
  }
  // What is there; `would_block` if nothing is.
  std::size_t read_some(std::span<char> buffer, Error& error) {
    return socket_.read_some(boost::asio::buffer(buffer.data(), buffer.size()), error);
  }

  // As much as can leave without waiting. That may be nothing, always: then async_write is used.
  std::size_t write_some(std::string_view bytes, Error& error) {
    const std::size_t size =
        socket_.write_some(boost::asio::buffer(bytes.data(), bytes.size()), error);
    if (error == boost::asio::error::would_block) error.clear();
    return size;
  }
  // All of it, then `handler(Error, std::size_t)`.
  template <class Handler>
  void async_write(std::string_view bytes, Handler handler) {
    boost::asio::async_write(socket_, boost::asio::buffer(bytes.data(), bytes.size()),
                             std::move(handler));
  }

  // Nothing is written any more.
  void shut_down() {
    Error ignored;
    socket_.shutdown(boost::asio::socket_base::shutdown_send, ignored);
  }
  void close() {
    Error ignored;
    socket_.close(ignored);
  }

 private:
  boost::asio::ip::tcp::socket socket_;
};

}  // namespace server
