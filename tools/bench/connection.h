#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <utility>
#include <vector>

#include "tools/bench/clock.h"
#include "tools/bench/frame.h"
#include "tools/bench/socket.h"

namespace bench {

class Connection;

// Serves many connections on one thread. What was said to one of them while others were heard
// leaves in one write.
class Loop {
 public:
  Loop() : epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}

  void add(int socket, Connection& connection);
  void has_output(Connection& connection) { with_output_.push_back(&connection); }
  void forget(Connection& connection) { std::erase(with_output_, &connection); }

  // Sends what waits, takes what is ready or becomes so within `milliseconds`, sends the answers.
  void turn(int milliseconds);
  // Throws when it takes too long; `what` says what did.
  void until(const std::function<bool()>& done, const std::string& what, Micros patience);

  // When what is being heard now became ready.
  [[nodiscard]] Micros heard_at() const { return heard_at_; }

 private:
  void send_all();

  Descriptor epoll_;
  Micros heard_at_ = now();
  std::vector<Connection*> with_output_;
};

// One client of one server: the upgrade, its session, and what it is told. To be destroyed between
// two turns of the loop only.
class Connection {
 public:
  enum class State { upgrading, opening, open, lost };
  using Handler = std::function<void(std::string_view text)>;

  // `request` opens the session; `handler` gets the texts that come after the answer to it.
  Connection(Loop& loop, std::uint16_t port, std::string request, Handler handler);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { loop_.forget(*this); }

  void say(std::string_view text) { send(Opcode::text, text); }
  void lose(std::string why);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool open() const { return state_ == State::open; }
  [[nodiscard]] bool lost() const { return state_ == State::lost; }
  [[nodiscard]] const std::string& why_lost() const { return why_lost_; }
  [[nodiscard]] const std::string& session() const { return session_; }
  [[nodiscard]] const std::string& password() const { return password_; }

  // For the loop.
  void receive();
  void flush();

 private:
  void send(Opcode opcode, std::string_view payload);
  void append(std::string_view bytes);
  void take(std::string_view bytes);
  [[nodiscard]] std::size_t take_upgrade(std::string_view bytes);
  void take_frame(const Frame& frame);
  void take_connected(std::string_view text);

  Loop& loop_;
  Descriptor socket_;
  State state_ = State::upgrading;
  std::string request_;
  Handler handler_;
  std::string in_;
  std::string out_;
  std::string session_, password_, why_lost_;
};

// The text of a field that is a string without escapes; nothing if it is not there.
inline std::string_view field(std::string_view json, const std::string& name) {
  const std::string key = '"' + name + "\":\"";
  const std::size_t found = json.find(key);
  if (found == std::string_view::npos) return {};
  const std::size_t begin = found + key.size();
  return json.substr(begin, json.find('"', begin) - begin);
}

}  // namespace bench

#include "tools/bench/connection_inline.h"
