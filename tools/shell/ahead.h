#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>

#include "client-lib/client.h"
#include "wire/requests.h"

namespace shell {

// Requests that are sent, and whose replies are taken in the same order.
class Ahead {
 public:
  explicit Ahead(zabkeeper::Client& client);

  // The next request may be sent now: the requests and replies in between stay small in number and
  // in bytes.
  [[nodiscard]] bool has_room() const;
  // `timeout`: for the reply; none: that of all requests.
  void send(wire::Request request, std::optional<std::chrono::milliseconds> timeout = {});

  [[nodiscard]] bool empty() const { return sent_.empty(); }
  // Whether the reply to the oldest request has come. There must be one.
  [[nodiscard]] bool is_oldest_answered() const;
  struct Answer {
    wire::Request request;
    zabkeeper::AnyReply reply;
  };
  // Waits for the reply to the oldest request. There must be one.
  Answer take();

 private:
  static constexpr std::size_t requests_max = 256;
  static constexpr std::size_t bytes_max = 8 << 20;  // of the requests; and of the replies

  struct Replies;  // shared with the client's thread

  zabkeeper::Client& client_;
  std::shared_ptr<Replies> replies_;
  struct Sent {
    wire::Request request;
    std::size_t bytes = 0;
  };
  std::deque<Sent> sent_;
  std::size_t sent_bytes_ = 0;
  // Of the last replies: how large the next ones may be. At first it is not known.
  std::size_t reply_bytes_ = bytes_max / 16;
};

}  // namespace shell
