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
  [[nodiscard]] virtual bool has_room(std::size_t bytes) const = 0;
  // Queues a message that the owner has judged and encoded in the connection's format.
  virtual void add(std::string_view encoded) = 0;
  virtual void allow_batches() = 0;

  // The bytes of messages that are queued, and those of the last write that are not written.
  [[nodiscard]] virtual std::size_t bytes() const = 0;
  // Whether a batch has grown since the last call, so that waiting a little makes fewer frames.
  [[nodiscard]] virtual bool is_gathering() = 0;

 protected:
  ~MessageQueue() = default;
};

}  // namespace server
