#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "server/budgets/ledger.h"
#include "server/clients/handler.h"
#include "server/clients/limits.h"
#include "server/clients/message_queue.h"
#include "server/clients/outbox.h"
#include "server/clients/websocket_frames.h"
#include "server/metrics/counters.h"
#include "wire/frames.h"

namespace server {

// The queue to one client: control frames, messages, and the bytes of an unfinished write. It is
// charged to the budget `waiting`. While it is idle, it holds no buffers.
class SendQueue final : public MessageQueue {
 public:
  // `limits` and `counters` must outlive it.
  SendQueue(wire::Format format, const ClientLimits& limits, ConnectionCounters& counters,
            const std::shared_ptr<AddressAccounts>& accounts);

  // For the owner of the connection. They have no effect once the queue is sealed.

  [[nodiscard]] bool send(const wire::ServerMessage& message) override;
  [[nodiscard]] Offer offer(const wire::ServerMessage& message) override;
  [[nodiscard]] bool has_room(std::size_t bytes) const override;
  void add(std::string_view encoded) override;
  void allow_batches() override { batches_ = true; }
  [[nodiscard]] std::size_t bytes() const override {
    return outbox_.bytes() + sending_.bytes() + in_flight_;
  }
  [[nodiscard]] bool is_gathering() override;

  // For the connection's protocol.

  // Queues a ping or pong, which leaves before any message.
  void add_control(Opcode opcode, std::string_view payload);
  // Too many control frames are queued: nothing must be read from the client.
  [[nodiscard]] bool is_full_of_control() const;
  // No message is accepted from now on.
  void seal() { sealed_ = true; }
  // Drops the messages that are queued.
  void drop_messages();

  [[nodiscard]] bool has_messages() const { return !sending_.empty() || !outbox_.empty(); }
  [[nodiscard]] bool is_empty() const { return control_.empty() && !has_messages(); }
  // Whether bytes of the last write are not written.
  [[nodiscard]] bool is_writing() const { return in_flight_ > 0; }
  // Appends the frames to write next, and frees their memory.
  void compose(std::string& out);
  // A write of these bytes begins: those that `compose` appended, and perhaps a close frame.
  void begin_write(std::size_t bytes);
  void written(std::size_t bytes);

 private:
  [[nodiscard]] std::size_t memory() const;
  [[nodiscard]] std::size_t batch_bytes() const { return batches_ ? limits_.batch_bytes : 0; }

  const ClientLimits& limits_;
  ConnectionCounters& counters_;
  const wire::Format format_;
  bool sealed_ = false;
  bool batches_ = false;

  Holding waiting_;  // charges memory()
  Outbox outbox_;
  Outbox sending_;             // taken from outbox_ as a whole, then sent frame by frame
  std::string control_;        // frames that leave before any message
  std::size_t in_flight_ = 0;  // bytes composed and not written
  std::size_t in_write_ = 0;   // memory of the write that those bytes belong to
  std::size_t gathered_ = 0;   // how much was queued at the last `is_gathering`
};

}  // namespace server
