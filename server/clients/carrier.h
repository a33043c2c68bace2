#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "server/budgets/ledger.h"
#include "server/clients/handler.h"
#include "server/clients/limits.h"
#include "server/clients/stream.h"
#include "server/clients/stream_protocol.h"
#include "server/clients/write_turns.h"
#include "server/metrics/counters.h"

namespace server {

// The state that the connections of one thread share. Must outlive them.
struct CarrierContext {
  ClientLimits limits;
  ConnectionCounters counters = {};
  std::array<char, 16 * 1024> read_buffer = {};
  std::string write_buffer = {};
  WriteTurns turns = {};
};

// A client whose protocol is known.
struct Accepted {
  Stream stream;
  wire::Format format;  // of the messages of a WebSocket, by the subprotocol
  std::string remote_address;
  std::shared_ptr<AddressAccounts> accounts;  // of that address
  // Released once the client is gone. Until then it keeps alive everything that the connection
  // uses.
  std::shared_ptr<void> slot;
};

// The protocol of a client whose upgrade to WebSocket was accepted.
[[nodiscard]] std::unique_ptr<StreamProtocol> websocket_protocol(const Accepted& client,
                                                                 CarrierContext& context);

// Moves values between a client's stream, its protocol (stream_protocol.h) and its owner, on one
// thread. The protocol gets bytes from the stream, and the time. The owner gets the protocol's
// events, and the stream gets its bytes. A pending operation keeps the carrier alive; its timer
// does not.
class Carrier final : public ClientConnection, public std::enable_shared_from_this<Carrier> {
 public:
  using EventSink = std::function<void(Carrier&, ClientEvent&&)>;

  Carrier(Accepted client, std::unique_ptr<StreamProtocol> protocol, CarrierContext& context,
          EventSink sink);

  // Begins to read. The sink gets events from now on, never within another call to the carrier.
  // `received` are bytes that were read from the stream before.
  void start(std::string_view received = {});

  void send(const wire::ServerMessage& message) override;
  [[nodiscard]] bool has_room(std::size_t bytes) const override {
    return protocol_->queue().has_room(bytes);
  }
  [[nodiscard]] Offer offer(const wire::ServerMessage& message) override;
  void allow_batches() override { protocol_->queue().allow_batches(); }
  void close(CloseCode code, std::string reason) override;
  void pause() override { protocol_->pause(); }
  void resume() override;
  void ping_every(std::chrono::milliseconds interval) override;
  [[nodiscard]] std::size_t queued_bytes() const override { return protocol_->queue().bytes(); }
  [[nodiscard]] std::string remote_address() const override { return remote_address_; }

  // Queues a message that another thread has already checked against the limits, and has encoded in
  // the connection's format.
  void add(std::string_view encoded);
  void close_as_too_slow() override;

  // For WriteTurns.
  [[nodiscard]] bool is_gathering() { return protocol_->queue().is_gathering(); }
  void take_turn();
  [[nodiscard]] auto get_executor() { return stream_.get_executor(); }

 private:
  void wait_readable();
  void read();
  void deliver();
  void deliver_soon();
  void write();
  void write_rest();
  void carry_out();
  void set_timer();

  Stream stream_;
  CarrierContext& context_;
  EventSink sink_;
  std::shared_ptr<void> slot_;
  const std::string remote_address_;
  const std::unique_ptr<StreamProtocol> protocol_;

  bool waits_readable_ = false;
  bool delivers_ = false;
  bool will_deliver_ = false;
  bool waits_to_write_ = false;
  StreamProtocol::StreamEnd end_ = StreamProtocol::StreamEnd::none;  // that was carried out
  std::string out_;              // bytes that the stream did not accept at once
  std::size_t out_written_ = 0;  // how many of them it has accepted since
  Timer timer_;
};

}  // namespace server
