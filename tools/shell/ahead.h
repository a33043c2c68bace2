#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>

#include "client-lib/client.h"
#include "wire/requests.h"

namespace shell {

// Sends several requests before the first reply comes. `take` returns the replies in the order of
// the requests.
class Ahead {
 public:
  explicit Ahead(zabkeeper::Client& client);

  // Whether the next request may be sent now. This limits the number and the bytes of unanswered
  // requests.
  [[nodiscard]] bool has_room() const;
  // `timeout`: how long to wait for the reply; none: the client's own timeout.
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
  // The size of the last replies, to estimate the next ones. The first value is a guess.
  std::size_t reply_bytes_ = bytes_max / 16;
};

}  // namespace shell
