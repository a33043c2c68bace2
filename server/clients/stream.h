#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/basic_stream.hpp>

// The streams that carry clients' bytes. With TLS, other types would replace these two.
namespace server {

// This concrete type makes an operation cheaper and a socket smaller than Asio's default does.
using Executor = boost::asio::io_context::executor_type;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor>;
using Timer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

// Before the upgrade.
using HttpStream = boost::beast::basic_stream<boost::asio::ip::tcp, Executor>;

// After the upgrade. It holds no buffer for an idle client: wait until there is something to read,
// then read it into a buffer that many connections share.
class Stream {
 public:
  using Error = boost::system::error_code;

  explicit Stream(HttpStream&& http) : socket_(http.release_socket()) {
    Error ignored;
    socket_.non_blocking(true, ignored);
  }

  [[nodiscard]] auto get_executor() { return socket_.get_executor(); }
  // Moves the stream to the event loop of another thread. Call it on that thread, while no
  // operation is pending. A stream that cannot be moved is closed.
  void move_to(boost::asio::io_context& io) {
    Error error;
    const auto protocol = socket_.local_endpoint(error).protocol();
    Socket moved(io);
    if (!error) moved.assign(protocol, socket_.release(error), error);
    socket_ = std::move(moved);
    socket_.non_blocking(true, error);
  }

  // Calls `handler(Error)` once there may be something to read.
  template <class Handler>
  void async_wait_readable(Handler handler) {
    socket_.async_wait(boost::asio::socket_base::wait_read, std::move(handler));
  }
  // Reads what has arrived. The error is `would_block` if nothing has.
  std::size_t read_some(std::span<char> buffer, Error& error) {
    return socket_.read_some(boost::asio::buffer(buffer.data(), buffer.size()), error);
  }

  // Writes as many bytes as possible without waiting, perhaps none. Returns how many.
  std::size_t write_some(std::string_view bytes, Error& error) {
    const std::size_t size =
        socket_.write_some(boost::asio::buffer(bytes.data(), bytes.size()), error);
    if (error == boost::asio::error::would_block) error.clear();
    return size;
  }
  // Writes some of the bytes once the stream accepts them, then calls `handler(Error,
  // std::size_t)`.
  template <class Handler>
  void async_write_some(std::string_view bytes, Handler handler) {
    socket_.async_write_some(boost::asio::buffer(bytes.data(), bytes.size()), std::move(handler));
  }

  // Nothing is written after this.
  void shut_down() {
    Error ignored;
    socket_.shutdown(boost::asio::socket_base::shutdown_send, ignored);
  }
  void close() {
    Error ignored;
    socket_.close(ignored);
  }

 private:
  Socket socket_;
};

}  // namespace server
