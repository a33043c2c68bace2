#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "server/clients/carrier.h"
#include "server/clients/handler.h"
#include "server/clients/limits.h"

namespace server {

// A thread with an event loop of its own that carries connections: for machines with more
// processors than one event loop can use. Owns the connections; those that are open when it ends
// are dropped without a close frame.
class IoThread {
 public:
  // `main` is the event loop on which handlers are called. It must not run any more when this is
  // destroyed.
  IoThread(boost::asio::io_context& main, const ClientLimits& limits);
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  // Serves `client` on this thread until it is gone; called on `main`. All calls of `handler` are
  // made on `main`, and all calls of its ClientConnection must be. An open connection keeps `main`
  // running.
  void serve(Accepted client, ClientHandler& handler);

  [[nodiscard]] const ConnectionCounters& counters() const { return context_.counters; }

 private:
  class Client;

  // The requests that cross from the event loop to the thread.
  struct Send {
    std::string encoded;  // in the connection's format
    Charge charge = {};   // until it is queued on the thread
  };
  struct AllowBatches {};
  struct Close {
    CloseCode code;
    std::string reason;
  };
  struct CloseAsTooSlow {};
  struct PingEvery {
    std::chrono::milliseconds interval;
  };
  struct Handled {
    int events = 0;  // that the event loop has handled since the last Handled
  };
  using Request = std::variant<Send, AllowBatches, Close, CloseAsTooSlow, PingEvery, Handled>;

  void ask(std::shared_ptr<Client> client, Request request);

  boost::asio::io_context& main_;
  std::vector<std::pair<std::shared_ptr<Client>, Request>> requests_;  // of one turn of `main`
  CarrierContext context_;
  boost::asio::io_context io_{1};
  std::unordered_set<std::shared_ptr<Carrier>> carriers_;  // used on the thread
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> busy_{
      boost::asio::make_work_guard(io_)};
  std::thread thread_;
};

}  // namespace server
