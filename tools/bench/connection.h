#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "server/clients/websocket_frames.h"
#include "tools/bench/event_loop.h"
#include "tools/bench/socket.h"

namespace bench {

// One client of one server: the WebSocket handshake, a session, and the messages that follow. Must
// not be destroyed by its own handler.
class Connection {
 public:
  enum class State { upgrading, opening, open, lost };
  using Handler = std::function<void(std::string_view text)>;

  // `request` opens the session; `handler` gets the messages after the reply to it.
  Connection(EventLoop& loop, std::uint16_t port, std::string request, Handler handler);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { loop_.remove(*this); }

  void send_text(std::string_view text) { send(server::Opcode::text, text); }
  void close(std::string reason);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool open() const { return state_ == State::open; }
  [[nodiscard]] bool lost() const { return state_ == State::lost; }
  [[nodiscard]] const std::string& lost_reason() const { return lost_reason_; }
  // Whether the server answered the request for a session with an error.
  [[nodiscard]] bool refused() const { return refused_; }
  [[nodiscard]] const std::string& session() const { return session_; }
  [[nodiscard]] const std::string& password() const { return password_; }

  // For the event loop.
  void receive();
  void flush();

 private:
  void send(server::Opcode opcode, std::string_view payload);
  void append(std::string_view bytes);
  void on_bytes(std::span<char> bytes);
  void on_upgrade(std::string_view bytes);
  void on_frame(const server::Incoming& frame);
  void on_connected(std::string_view text);

  EventLoop& loop_;
  Descriptor socket_;
  State state_ = State::upgrading;
  std::string request_;
  Handler handler_;
  std::string response_;  // to the handshake, as far as it has arrived
  server::WebSocketReader reader_;
  std::string out_;
  std::string session_, password_, lost_reason_;
  bool refused_ = false;
};

}  // namespace bench
