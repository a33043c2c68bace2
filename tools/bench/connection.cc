#include "tools/bench/connection.h"

#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <utility>

#include "tools/bench/reply_text.h"

namespace bench {
namespace {

constexpr std::size_t message_bytes_max = 16 * 1024 * 1024;
constexpr std::string_view mask = "\x37\x7a\x21\x3d";

}  // namespace

Connection::Connection(EventLoop& loop, std::uint16_t port, std::string request, Handler handler)
    : loop_(loop),
      socket_(tcp_socket(SOCK_NONBLOCK)),
      request_(std::move(request)),
      handler_(std::move(handler)),
      reader_(message_bytes_max, server::Sender::server) {
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

void Connection::send(server::Opcode opcode, std::string_view payload) {
  if (out_.empty()) loop_.has_output(*this);
  server::append_masked_websocket_frame(opcode, payload, mask, out_);
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

void Connection::on_bytes(std::span<char> bytes) {
  if (state_ == State::upgrading) return on_upgrade({bytes.data(), bytes.size()});
  reader_.feed(bytes);
  while (!lost()) {
    const auto frame = reader_.next();
    if (!frame) return;
    on_frame(*frame);
  }
  reader_.discard();
}

void Connection::on_upgrade(std::string_view bytes) {
  response_ += bytes;
  const std::size_t end = response_.find("\r\n\r\n");
  if (end == std::string::npos) return;
  if (!response_.starts_with("HTTP/1.1 101")) {
    return close("not upgraded: " + response_.substr(0, response_.find('\r')));
  }
  state_ = State::opening;
  send_text(request_);
  std::string frames = response_.substr(end + 4);
  response_ = {};
  if (!frames.empty()) on_bytes(frames);
}

void Connection::on_frame(const server::Incoming& frame) {
  using Kind = server::Incoming::Kind;
  switch (frame.kind) {
    case Kind::text:
    case Kind::binary: break;
    case Kind::ping: return send(server::Opcode::pong, frame.payload);
    case Kind::pong: return;
    case Kind::close: return close("closed by the server");
    case Kind::broken: return close("the server broke the WebSocket protocol");
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
