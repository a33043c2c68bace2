#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "server/budgets/ledger.h"
#include "server/clients/client_event.h"
#include "server/clients/handler.h"
#include "server/clients/limits.h"
#include "server/clients/outbox.h"
#include "server/clients/websocket_frames.h"
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

  // How many of `most` bytes may be read from the stream now. With 0 the budgets have no room: then
  // call `hold_back`, and `wants_bytes` is false until a deadline.
  [[nodiscard]] std::size_t readable_bytes(std::size_t most);
  void hold_back(Time now);
  // Bytes arrived. They are overwritten, and must stay until `next` has returned nothing.
  void receive(std::span<char> bytes) { reader_.feed(bytes); }
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

  // Queues a message. Returns false if too much is queued: then call `close_as_too_slow`.
  [[nodiscard]] bool send(const wire::ServerMessage& message);
  // Queues a message only if the budgets have room for it.
  [[nodiscard]] Offer offer(const wire::ServerMessage& message);
  [[nodiscard]] bool has_room(std::size_t bytes) const;
  // Queues a message that the owner has judged and encoded in the connection's format.
  void add(std::string_view encoded);
  void allow_batches() { batch_bytes_ = limits_.batch_bytes; }
  void close(CloseCode code, std::string reason, Drain drain, Time now);
  void close_as_too_slow(Time now);
  void pause() {
    paused_ = true;
    if (unfinished_) unfinished_->was_unread = true;
  }
  void resume() { paused_ = false; }
  void ping_every(std::chrono::milliseconds interval, Time now);

  // Output.

  // Whether `next` has an event without new bytes: after a pause, or to report the end.
  [[nodiscard]] bool has_events() const;
  [[nodiscard]] bool wants_bytes() const { return takes_input() && !is_held_back(); }
  // False while bytes of the last `compose` are not written.
  [[nodiscard]] bool has_output() const;
  // Whether a batch has grown since the last call, so that waiting a little makes fewer frames.
  [[nodiscard]] bool is_gathering();
  // Appends the bytes to write next.
  void compose(std::string& out, Time now);
  [[nodiscard]] Time deadline() const;
  [[nodiscard]] StreamEnd end() const;
  [[nodiscard]] std::size_t queued_bytes() const {
    return outbox_.bytes() + sending_.bytes() + in_flight_;
  }
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

  // A message whose end has not arrived.
  struct Unfinished {
    Time check;  // when its rate is looked at
    Time end;    // when it must be complete
    std::size_t bytes_at_check = 0;
    Time retry = never;       // when reading goes on, if the budgets had no room
    bool was_unread = false;  // this server did not read for some time since the last check
  };

  [[nodiscard]] bool takes_input() const;
  // Whether the budget of requests has room for the message that is unfinished.
  [[nodiscard]] bool request_has_room() const;
  [[nodiscard]] bool is_held_back() const { return unfinished_ && unfinished_->retry != never; }
  [[nodiscard]] bool accepts_message(const Incoming& message, Time now);
  void note_unfinished(Time now);
  void check_unfinished(Time now);
  [[nodiscard]] std::size_t waiting_memory() const;
  void begin_close(Close close, Time now);
  void end_for(std::string reason, Time now);
  void end_by_client(std::uint16_t code, std::string reason, Time now);
  // Why a message was too large to be read.
  [[nodiscard]] std::string too_large() const;

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
  WebSocketReader reader_;
  Holding kept_;                            // the bytes that reader_ keeps
  std::unique_ptr<Unfinished> unfinished_;  // while reader_ keeps a message

  Holding waiting_;  // charges waiting_memory()
  Outbox outbox_;
  Outbox sending_;             // taken from outbox_ as a whole, then sent frame by frame
  std::string control_;        // frames that leave before any message
  std::size_t in_flight_ = 0;  // bytes composed and not written
  std::size_t in_write_ = 0;   // memory of the write that those bytes belong to
  std::size_t batch_bytes_ = 0;
  std::size_t gathered_ = 0;  // how much was queued at the last `is_gathering`

  std::unique_ptr<Close> close_;  // from `closing` on
  std::chrono::milliseconds ping_interval_{0};
  Time next_ping_ = never;
  Time progress_ = never;  // until then some of in_flight_ must be written
  Time deadline_;
};

}  // namespace server
