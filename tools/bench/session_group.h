#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "tools/bench/connection.h"
#include "tools/bench/ensemble.h"
#include "tools/bench/event_loop.h"
#include "tools/bench/measurements.h"

namespace bench {

// Many sessions, each on its own connection, spread over the servers.
class SessionGroup {
 public:
  SessionGroup(Ensemble& ensemble, Measurements& measurements, EventLoop& loop,
               Connection::Handler handler);
  SessionGroup(const SessionGroup&) = delete;
  SessionGroup& operator=(const SessionGroup&) = delete;
  ~SessionGroup() { close(); }

  // Opens sessions until there are `count`, `at_once` at the same time. Throws std::runtime_error
  // if one is refused, or after a minute.
  void open(std::size_t count, std::size_t at_once);
  void send_to_all(std::string_view text);

 private:
  void close();

  Ensemble& ensemble_;
  Measurements& measurements_;
  EventLoop& loop_;
  Connection::Handler handler_;
  std::vector<std::unique_ptr<Connection>> sessions_;
};

}  // namespace bench
