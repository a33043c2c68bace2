#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "server/budgets/ledger.h"
#include "server/clients/limits.h"
#include "server/clients/websocket_frames.h"
#include "server/metrics/counters.h"
#include "wire/frames.h"

namespace server {

// Reads one client's messages from bytes. The kept part of an unfinished message is charged to the
// budget `unfinished`, and the rest of the message must arrive in time. While no message is
// unfinished, it holds no buffers.
class MessageReader {
 public:
  using Time = SteadyClock::time_point;
  static constexpr Time never = Time::max();

  // `limits` and `accounts` must outlive it.
  MessageReader(wire::Format format, const ClientLimits& limits,
                const std::shared_ptr<AddressAccounts>& accounts);

  // See ClientProtocol.
  [[nodiscard]] std::size_t readable_bytes(std::size_t most);
  void hold_back(Time now);
  void receive(std::span<char> bytes) { reader_.feed(bytes); }

  [[nodiscard]] bool is_held_back() const { return unfinished_ && unfinished_->retry != never; }
  // The next message or control frame. Returns nothing when more bytes are needed.
  [[nodiscard]] std::optional<Incoming> next(Time now);
  // A message arrived: later ones may be larger than the first one.
  void allow_large_messages(wire::Format format);
  // Copies what was received and not read yet, to continue later.
  void keep();
  // Forgets what was received and not read yet.
  void discard();

  // The server does not read for a while. A message that is unfinished gets more time.
  void note_unread();
  // Call it at `deadline`; `is_read` is false while the server does not read. Returns why the
  // connection must end, if the message is too slow.
  [[nodiscard]] std::optional<std::string> check(Time now, bool is_read);
  [[nodiscard]] Time deadline() const;

 private:
  // A message whose end has not arrived.
  struct Unfinished {
    Time check;  // when its rate is looked at
    Time end;    // when it must be complete
    std::size_t bytes_at_check = 0;
    Time retry = never;       // when reading goes on, if the budgets had no room
    bool was_unread = false;  // this server did not read for some time since the last check
  };

  void note_unfinished(Time now);
  // Whether the budget of requests has room for the message that is unfinished.
  [[nodiscard]] bool request_has_room() const;

  const ClientLimits& limits_;
  AddressAccounts& accounts_;
  WebSocketReader reader_;
  Holding kept_;                            // the bytes that reader_ keeps
  std::unique_ptr<Unfinished> unfinished_;  // while reader_ keeps a message
};

}  // namespace server
