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
#include "server/metrics/counters.h"
#include "wire/frames.h"

namespace server {

// One client's WebSocket connection as a function of values. Bytes, times and the server's messages
// go in; requests, bytes, a deadline and the end come out. It knows no socket, thread or clock: a
// carrier moves the values (carrier.h). While it is idle, it holds no buffers.
class ClientProtocol {
 public:
  using Time = SteadyClock::time_point;
  static constexpr Time never = Time::max();

  // How the carrier must end the stream.
  enum class StreamEnd : std::uint8_t {
    none,
    shut_down,  // nothing more is written
    close,      // the stream is not used any more
  };
  enum class Drain : std::uint8_t { no, yes };  // send what is queued before the close frame

  // `limits` and `counters` must outlive it. `accounts` are those of the client's address. `now` is
  // when the client's upgrade was accepted.
  ClientProtocol(wire::Format format, const ClientLimits& limits, ConnectionCounters& counters,
                 std::shared_ptr<AddressAccounts> accounts, Time now);

  // Input from the stream.

  // How many of `most` bytes may be read from the stream now; 0 if the budgets have no room. Then
  // call `hold_back`. It makes `wants_bytes` false until a deadline.
  [[nodiscard]] std::size_t readable_bytes(std::size_t most) {
    return reader_.readable_bytes(most);
  }
  void hold_back(Time now) { reader_.hold_back(now); }
  // Bytes arrived. `bytes` is overwritten, and must stay valid until `next` has returned nothing.
  void receive(std::span<char> bytes) { reader_.receive(bytes); }
  // The next event for the owner. Returns nothing while the owner has paused the connection, and
  // when more bytes are needed.
  [[nodiscard]] std::optional<ClientEvent> next(Time now);
  // `bytes` of those that `compose` appended were written to the stream.
  void written(std::size_t bytes, Time now);
  // The stream failed or ended.
  void lost();
  // Call it at `deadline`. An earlier or later call does no harm.
  void time_is(Time now);

  // Input from the owner. It has no effect once the connection closes.

  // The messages to the client. If `send` returns false, call `close_as_too_slow`.
  [[nodiscard]] SendQueue& queue() { return queue_; }
  [[nodiscard]] const SendQueue& queue() const { return queue_; }
  void close(CloseCode code, std::string reason, Drain drain, Time now);
  void close_as_too_slow(Time now);
  void pause() {
    paused_ = true;
    reader_.note_unread();
  }
  void resume() { paused_ = false; }
  void ping_every(std::chrono::milliseconds interval, Time now);

  // Output.

  // Whether `next` has an event without new bytes: after a pause, or to report the end.
  [[nodiscard]] bool has_events() const;
  [[nodiscard]] bool wants_bytes() const { return takes_input() && !reader_.is_held_back(); }
  // False while bytes of the last `compose` are not written.
  [[nodiscard]] bool has_output() const;
  // Appends the bytes to write next.
  void compose(std::string& out, Time now);
  [[nodiscard]] Time deadline() const;
  [[nodiscard]] StreamEnd end() const;
  [[nodiscard]] bool is_paused() const { return paused_; }

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
  Time progress_ = never;  // the deadline for some more bytes of a write
  Time deadline_;
};

}  // namespace server
