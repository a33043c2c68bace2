#pragma once

#include <cstddef>
#include <string_view>

#include "server/clients/handler.h"
#include "wire/replies.h"

namespace server {

// The messages that wait for one client, in the form of its protocol.
class MessageQueue {
 public:
  // Queues a message. Returns false if too much is queued: then the connection must be closed.
  [[nodiscard]] virtual bool send(const wire::ServerMessage& message) = 0;
  // Queues a message only if the budgets have room for it.
  [[nodiscard]] virtual Offer offer(const wire::ServerMessage& message) = 0;
  // Whether the limits and the budgets have room for so many more bytes.
  [[nodiscard]] virtual bool has_room(std::size_t bytes) const = 0;
  // Queues a message that the owner has already checked against the limits, and has encoded in the
  // connection's format.
  virtual void add(std::string_view encoded) = 0;
  // From now on, several messages may leave in one frame.
  virtual void allow_batches() = 0;

  // The bytes of messages that are queued, and those of the last write that are not written.
  [[nodiscard]] virtual std::size_t bytes() const = 0;
  // Whether a batch has grown since the last call. If so, a short wait saves frames.
  [[nodiscard]] virtual bool is_gathering() = 0;

 protected:
  ~MessageQueue() = default;
};

}  // namespace server
