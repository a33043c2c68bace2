#pragma once

#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "tools/bench/clock.h"
#include "tools/bench/socket.h"

namespace bench {

class Connection;

// Set by SIGINT and SIGTERM: the event loop then throws.
extern volatile std::sig_atomic_t interrupted;

// Serves many connections on one thread. All output that is ready for a connection leaves in one
// write.
class EventLoop {
 public:
  EventLoop();

  void add(int socket, Connection& connection);
  void has_output(Connection& connection) { with_output_.push_back(&connection); }
  void remove(Connection& connection) { std::erase(with_output_, &connection); }

  // Sends all output, receives what arrives within `milliseconds`, and sends the output that the
  // handlers add.
  void run_once(int milliseconds);
  void run_for(Micros time);
  // Runs until `done()`. Throws std::runtime_error after `timeout`; `what` says what was missing.
  void run_until(const std::function<bool()>& done, const std::string& what, Micros timeout);

  // When the sockets that are being served now became ready.
  [[nodiscard]] Micros ready_at() const { return ready_at_; }

 private:
  void flush_all();

  Descriptor epoll_;
  Micros ready_at_ = now();
  std::vector<Connection*> with_output_;
};

}  // namespace bench
