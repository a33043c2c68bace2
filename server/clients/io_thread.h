#pragma once

#include <memory>

#include "server/clients/connection.h"
#include "server/clients/handler.h"
#include "server/clients/limits.h"

namespace boost::asio {
class io_context;
}

namespace server {

// A thread that reads, takes apart, writes and closes for its clients, so that the event loop need
// not: for machines with more processors than one server's event loop can use.
class IoThread {
 public:
  // `main` is the event loop where handlers are told. It must not run any more when this ends.
  IoThread(boost::asio::io_context& main, const ClientLimits& limits);
  // Whoever is still connected is dropped without a word.
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  // As `server::serve`, to be called on the event loop: what `handler` is told it is told there,
  // and there it may use the connection. While a connection is there, the event loop has work.
  void serve(Accepted client, ClientHandler& handler);

  [[nodiscard]] const ConnectionCounters& counters() const;

 private:
  class Worker;
  class Near;
  class Far;
  std::unique_ptr<Worker> worker_;
};

}  // namespace server
