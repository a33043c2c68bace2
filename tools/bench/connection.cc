#include "tools/bench/connection.h"

#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <utility>

#include "tools/bench/reply_text.h"

namespace bench {

Connection::Connection(EventLoop& loop, std::uint16_t port, std::string request, Handler handler)
    : loop_(loop),
      socket_(tcp_socket(SOCK_NONBLOCK)),
      request_(std::move(request)),
      handler_(std::move(handler)) {
  if (!connect_to(socket_, port)) {
    close("connection refused");
    return;
  }
  loop_.add(socket_.get(), *this);
  append("GET /v1 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
         "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
}

void Connection::close(std::string reason) {
  if (lost()) return;
  state_ = State::lost;
  lost_reason_ = std::move(reason);
  socket_.close();
}

void Connection::append(std::string_view bytes) {
  if (out_.empty()) loop_.has_output(*this);
  out_ += bytes;
}

void Connection::send(Opcode opcode, std::string_view payload) {
  if (out_.empty()) loop_.has_output(*this);
  append_frame(out_, opcode, payload);
}

void Connection::flush() {
  if (lost() || out_.empty()) return;
  const ssize_t count = ::send(socket_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
  if (count >= 0) {
    out_.erase(0, static_cast<std::size_t>(count));
  } else if (errno != EAGAIN && errno != ENOTCONN) {
    close("could not send");
  }
}

void Connection::receive() {
  static std::array<char, 256 * 1024> buffer;
  while (!lost()) {
    const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return close(count == 0 ? "closed" : "reset");
    on_bytes({buffer.data(), static_cast<std::size_t>(count)});
  }
}

void Connection::on_bytes(std::string_view bytes) {
  if (!in_.empty()) bytes = in_.append(bytes);
  std::size_t used = state_ == State::upgrading ? on_upgrade(bytes) : 0;
  while (!lost() && state_ != State::upgrading) {
    const auto frame = first_frame(bytes.substr(used));
    if (!frame) break;
    on_frame(*frame);
    used += frame->size;
  }
  in_ = std::string(bytes.substr(used));
}

// How many bytes the response to the handshake has; 0 while it is incomplete.
std::size_t Connection::on_upgrade(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  if (!bytes.starts_with("HTTP/1.1 101")) {
    close("not upgraded: " + std::string(bytes.substr(0, bytes.find('\r'))));
    return bytes.size();
  }
  state_ = State::opening;
  send_text(request_);
  return end + 4;
}

void Connection::on_frame(const Frame& frame) {
  switch (frame.opcode) {
    case Opcode::text: break;
    case Opcode::ping: return send(Opcode::pong, frame.payload);
    case Opcode::pong: return;
    case Opcode::close: return close("closed by the server");
  }
  if (state_ == State::opening) return on_connected(frame.payload);
  if (frame.payload.starts_with("{\"op\":\"goaway\"") ||
      frame.payload.starts_with("{\"op\":\"expired\"")) {
    return close(std::string(frame.payload));
  }
  handler_(frame.payload);
}

void Connection::on_connected(std::string_view text) {
  session_ = field(text, "session");
  password_ = field(text, "password");
  if (session_.empty()) {
    refused_ = true;
    return close(std::string(text));
  }
  state_ = State::open;
}

}  // namespace bench
