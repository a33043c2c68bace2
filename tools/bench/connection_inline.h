#pragma once

#include <array>
#include <csignal>
#include <stdexcept>

#include "tools/bench/connection.h"

// The functions of connection.h, which includes this.
namespace bench {

// Set by SIGINT and SIGTERM.
inline volatile std::sig_atomic_t interrupted = 0;

inline void Loop::add(int socket, Connection& connection) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLET;
  event.data.ptr = &connection;
  check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event), "epoll_ctl");
}

inline void Loop::turn(int milliseconds) {
  if (interrupted != 0) throw std::runtime_error("interrupted");
  send_all();
  std::array<epoll_event, 256> events;
  const int count =
      ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), milliseconds);
  if (count < 0 && errno != EINTR) fail("epoll_wait");
  heard_at_ = now();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    auto& connection = *static_cast<Connection*>(event.data.ptr);
    if ((event.events & EPOLLOUT) != 0) connection.flush();
    if ((event.events & ~static_cast<unsigned>(EPOLLOUT)) != 0) connection.receive();
  }
  send_all();
}

inline void Loop::until(const std::function<bool()>& done, const std::string& what,
                        Micros patience) {
  const Micros deadline = now() + patience;
  while (!done()) {
    if (now() > deadline) throw std::runtime_error("no end of: " + what);
    turn(10);
  }
}

inline void Loop::send_all() {
  for (Connection* connection : std::exchange(with_output_, {})) connection->flush();
}

inline Connection::Connection(Loop& loop, std::uint16_t port, std::string request, Handler handler)
    : loop_(loop),
      socket_(tcp_socket(SOCK_NONBLOCK)),
      request_(std::move(request)),
      handler_(std::move(handler)) {
  if (!connect_to(socket_, port)) {
    lose("refused");
    return;
  }
  loop_.add(socket_.get(), *this);
  append("GET /v1 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
         "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
}

inline void Connection::lose(std::string why) {
  if (lost()) return;
  state_ = State::lost;
  why_lost_ = std::move(why);
  socket_.close();
}

inline void Connection::append(std::string_view bytes) {
  if (out_.empty()) loop_.has_output(*this);
  out_ += bytes;
}

inline void Connection::send(Opcode opcode, std::string_view payload) {
  if (out_.empty()) loop_.has_output(*this);
  append_frame(out_, opcode, payload);
}

inline void Connection::flush() {
  if (lost() || out_.empty()) return;
  const ssize_t count = ::send(socket_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
  if (count >= 0) {
    out_.erase(0, static_cast<std::size_t>(count));
  } else if (errno != EAGAIN && errno != ENOTCONN) {
    lose("could not send");
  }
}

inline void Connection::receive() {
  static std::array<char, 256 * 1024> buffer;
  while (!lost()) {
    const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return lose(count == 0 ? "closed" : "reset");
    take({buffer.data(), static_cast<std::size_t>(count)});
  }
}

inline void Connection::take(std::string_view bytes) {
  if (!in_.empty()) bytes = in_.append(bytes);
  std::size_t taken = state_ == State::upgrading ? take_upgrade(bytes) : 0;
  while (!lost() && state_ != State::upgrading) {
    const auto frame = first_frame(bytes.substr(taken));
    if (!frame) break;
    take_frame(*frame);
    taken += frame->size;
  }
  in_ = std::string(bytes.substr(taken));
}

inline std::size_t Connection::take_upgrade(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  if (!bytes.starts_with("HTTP/1.1 101")) {
    lose("not upgraded: " + std::string(bytes.substr(0, bytes.find('\r'))));
    return bytes.size();
  }
  state_ = State::opening;
  say(request_);
  return end + 4;
}

inline void Connection::take_frame(const Frame& frame) {
  switch (frame.opcode) {
    case Opcode::text: break;
    case Opcode::ping: return send(Opcode::pong, frame.payload);
    case Opcode::pong: return;
    case Opcode::close: return lose("closed by the server");
  }
  if (state_ == State::opening) return take_connected(frame.payload);
  if (frame.payload.starts_with("{\"op\":\"goaway\"") ||
      frame.payload.starts_with("{\"op\":\"expired\"")) {
    return lose(std::string(frame.payload));
  }
  handler_(frame.payload);
}

inline void Connection::take_connected(std::string_view text) {
  session_ = field(text, "session");
  password_ = field(text, "password");
  if (session_.empty()) return lose(std::string(text));
  state_ = State::open;
}

}  // namespace bench
