#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/budgets/ledger.h"
#include "server/clients/limits.h"
#include "server/clients/message_queue.h"
#include "server/clients/zookeeper_conversation.h"
#include "server/metrics/counters.h"
#include "wire/frames.h"

namespace server {

// The frames that wait for one client of ZooKeeper's protocol. It charges the budget `waiting` for
// them, and for the client's requests and watches. While it is idle, it holds no buffers.
class ZooKeeperQueue final : public MessageQueue {
 public:
  // `limits` and `counters` must outlive it.
  ZooKeeperQueue(const ClientLimits& limits, ConnectionCounters& counters,
                 const std::shared_ptr<AddressAccounts>& accounts);

  [[nodiscard]] bool send(const wire::ServerMessage& message) override;
  [[nodiscard]] Offer offer(const wire::ServerMessage& message) override;
  [[nodiscard]] bool has_room(std::size_t bytes) const override;
  void add(std::string_view) override {}  // only for connections of I/O threads
  void allow_batches() override {}
  [[nodiscard]] std::size_t bytes() const override { return queued_.size() + in_flight_; }
  [[nodiscard]] bool is_gathering() override { return false; }

  // For the connection's protocol.

  [[nodiscard]] ZooKeeperConversation& conversation() { return conversation_; }
  [[nodiscard]] const ZooKeeperConversation& conversation() const { return conversation_; }
  // The same as ZooKeeperConversation::take.
  [[nodiscard]] std::optional<wire::ParsedFrame> take(wire::jute::ParsedRequest&& request);
  // No message is accepted from now on.
  void seal() { sealed_ = true; }
  void drop_messages();
  [[nodiscard]] bool is_empty() const { return queued_.empty(); }
  [[nodiscard]] bool is_writing() const { return in_flight_ > 0; }
  // Appends the queued bytes to `out`, and frees their memory. They are in flight until `written`.
  void compose(std::string& out);
  void written(std::size_t bytes);

 private:
  [[nodiscard]] std::size_t memory() const;

  const ClientLimits& limits_;
  ConnectionCounters& counters_;
  Holding waiting_;  // charges memory()
  ZooKeeperConversation conversation_;
  std::string queued_;
  std::size_t in_flight_ = 0;  // bytes composed and not written
  bool sealed_ = false;
};

}  // namespace server
