#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "wire/address.h"

namespace boost::asio {
class io_context;
}

namespace server {

// Asks name servers, each name on a thread of its own: a name server that hangs delays neither the
// event loop nor other names. If it does not answer, a name stands for what it stood for last.
// Belongs to the event loop.
class Names {
 public:
  using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;
  struct Answer {
    Endpoints endpoints;  // may be of an earlier answer
    std::string problem;  // of the last question; empty if it was answered
  };

  explicit Names(boost::asio::io_context& io);
  // Does not wait for threads.
  ~Names();
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  // What `address` stands for. Waits for an answer for `patience` at most.
  [[nodiscard]] boost::asio::awaitable<Answer> resolve(wire::Address address,
                                                       std::chrono::milliseconds patience);

 private:
  using Key = std::pair<std::string, std::uint16_t>;  // host and port
  struct Name {
    Answer last;
    bool is_asked = false;
    std::vector<std::shared_ptr<boost::asio::steady_timer>> waiting;
  };
  class Door;

  void ask(const Key& key);
  void answered(const Key& key, Answer answer);

  boost::asio::io_context& io_;
  std::map<Key, Name> names_;
  std::shared_ptr<Door> door_;  // through which the threads give their answers
};

}  // namespace server
