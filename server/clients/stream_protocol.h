#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "server/clients/client_event.h"
#include "server/clients/handler.h"
#include "server/clients/message_queue.h"
#include "server/metrics/counters.h"

namespace server {

// One client's connection as a function of values. Bytes, times and the server's messages go in;
// requests, bytes, a deadline and the end come out. It knows no socket, thread or clock: a carrier
// moves the values (carrier.h). While it is idle, it holds no buffers.
class StreamProtocol {
 public:
  using Time = SteadyClock::time_point;
  static constexpr Time never = Time::max();

  // How the carrier must end the stream.
  enum class StreamEnd : std::uint8_t {
    none,
    shut_down,  // nothing more is written
    close,      // the stream is not used any more
  };
  enum class Drain : std::uint8_t { no, yes };  // send what is queued before the end

  virtual ~StreamProtocol() = default;

  // Input from the stream.

  // How many bytes may be read from the stream now, at most `most`. If it is 0, the budgets have no
  // room: call `hold_back`, which makes `wants_bytes` false until a deadline.
  [[nodiscard]] virtual std::size_t readable_bytes(std::size_t most) = 0;
  virtual void hold_back(Time now) = 0;
  // Bytes arrived. `bytes` is overwritten, and must stay valid until `next` has returned nothing.
  virtual void receive(std::span<char> bytes) = 0;
  // The next event for the owner. Returns nothing while the owner has paused the connection, and
  // when more bytes are needed.
  [[nodiscard]] virtual std::optional<ClientEvent> next(Time now) = 0;
  // So many bytes of the last `compose` were written to the stream.
  virtual void written(std::size_t bytes, Time now) = 0;
  // The stream failed or ended.
  virtual void lost() = 0;
  // Call it at `deadline`. An earlier or later call does no harm.
  virtual void time_is(Time now) = 0;

  // Input from the owner. It has no effect once the connection closes.

  // The messages to the client. If `send` returns false, call `close_as_too_slow`.
  [[nodiscard]] virtual MessageQueue& queue() = 0;
  [[nodiscard]] virtual const MessageQueue& queue() const = 0;
  virtual void close(CloseCode code, std::string reason, Drain drain, Time now) = 0;
  virtual void close_as_too_slow(Time now) = 0;
  virtual void pause() = 0;
  virtual void resume() = 0;
  virtual void ping_every(std::chrono::milliseconds interval, Time now) = 0;

  // Output.

  // Whether `next` has an event without new bytes: after a pause, or to report the end.
  [[nodiscard]] virtual bool has_events() const = 0;
  [[nodiscard]] virtual bool wants_bytes() const = 0;
  // False while bytes of the last `compose` are not written.
  [[nodiscard]] virtual bool has_output() const = 0;
  // Appends the bytes to write next.
  virtual void compose(std::string& out, Time now) = 0;
  [[nodiscard]] virtual Time deadline() const = 0;
  [[nodiscard]] virtual StreamEnd end() const = 0;
  [[nodiscard]] virtual bool is_paused() const = 0;
};

}  // namespace server
