#pragma once

#include <functional>
#include <memory>
#include <string>

#include "server/config/config.h"
#include "server/metrics/status.h"
#include "wire/result.h"

namespace boost::asio {
class io_context;
}

namespace server {

// One server: the rooms joined. The protocol core and the service are values in it; what is impure
// (the log, the links, the listener, the clock) stands around them.
class Server {
 public:
  // Opens the data directory, takes the ports, and begins to look for a leader. An error says what
  // an operator is to do.
  [[nodiscard]] static wire::Result<std::unique_ptr<Server>> start(boost::asio::io_context& io,
                                                                   Config config);
  virtual ~Server() = default;

  // Lets another server lead, if this one does, so that nobody waits for an election; then takes no
  // more requests, and answers those that it has. Calls `done` after all that, or when it takes too
  // long.
  virtual void retire(std::function<void()> done) = 0;
  // Says goodbye to clients and peers. The io_context runs out of work once they are gone.
  virtual void stop() = 0;

  // Where clients connect: with the port that was really taken.
  [[nodiscard]] virtual Address web() const = 0;
  [[nodiscard]] virtual Status status() const = 0;
};

}  // namespace server
