#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "server/budgets/ledger.h"
#include "server/clients/client_event.h"
#include "server/clients/handler.h"
#include "server/clients/limits.h"
#include "server/clients/message_reader.h"
#include "server/clients/send_queue.h"
#include "server/clients/stream_protocol.h"
#include "server/metrics/counters.h"
#include "wire/frames.h"

namespace server {

// The StreamProtocol of a WebSocket connection, with messages in JSON or CBOR.
class ClientProtocol final : public StreamProtocol {
 public:
  // `limits` and `counters` must outlive it. `accounts` are those of the client's address. `now` is
  // when the client's upgrade was accepted.
  ClientProtocol(wire::Format format, const ClientLimits& limits, ConnectionCounters& counters,
                 std::shared_ptr<AddressAccounts> accounts, Time now);

  [[nodiscard]] std::size_t readable_bytes(std::size_t most) override {
    return reader_.readable_bytes(most);
  }
  void hold_back(Time now) override { reader_.hold_back(now); }
  void receive(std::span<char> bytes) override { reader_.receive(bytes); }
  [[nodiscard]] std::optional<ClientEvent> next(Time now) override;
  void written(std::size_t bytes, Time now) override;
  void lost() override;
  void time_is(Time now) override;

  [[nodiscard]] SendQueue& queue() override { return queue_; }
  [[nodiscard]] const SendQueue& queue() const override { return queue_; }
  void close(CloseCode code, std::string reason, Drain drain, Time now) override;
  void close_as_too_slow(Time now) override;
  void pause() override {
    paused_ = true;
    reader_.note_unread();
  }
  void resume() override { paused_ = false; }
  void ping_every(std::chrono::milliseconds interval, Time now) override;

  [[nodiscard]] bool has_events() const override;
  [[nodiscard]] bool wants_bytes() const override {
    return takes_input() && !reader_.is_held_back();
  }
  [[nodiscard]] bool has_output() const override;
  void compose(std::string& out, Time now) override;
  [[nodiscard]] Time deadline() const override;
  [[nodiscard]] StreamEnd end() const override;
  [[nodiscard]] bool is_paused() const override { return paused_; }

 private:
  enum class Stage : std::uint8_t {
    open,
    closing,        // a close frame is sent as soon as possible
    close_sent,     // the close frame is being written, or was written
    shutting_down,  // nothing more is written, and received frames are ignored
    over,
  };
  struct Close {
    std::uint16_t code;
    std::string reason;
    Drain drain;
  };

  [[nodiscard]] bool takes_input() const;
  [[nodiscard]] bool accepts_message(const Incoming& message, Time now);
  void begin_close(Close close, Time now);
  void end_by_client(std::uint16_t code, std::string reason, Time now);

  const ClientLimits& limits_;
  ConnectionCounters& counters_;
  const wire::Format format_;

  Stage stage_ = Stage::open;
  bool paused_ = false;
  bool silent_ = true;        // no message was received
  bool ended_ = false;        // what the client still sends is ignored
  bool interrupted_ = false;  // `next` stopped before it had read all bytes
  bool closed_reported_ = false;

  const std::shared_ptr<AddressAccounts> accounts_;
  MessageReader reader_;
  SendQueue queue_;

  std::unique_ptr<Close> close_;  // from `closing` on
  std::chrono::milliseconds ping_interval_{0};
  Time next_ping_ = never;
  Time progress_ = never;  // when some more bytes must have been written
  Time deadline_;
};

}  // namespace server
