#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "client-lib/session_event.h"
#include "wire/replies.h"
#include "wire/result.h"

// A step of a conversation returns these actions. They must be carried out in their order.
namespace zabkeeper {

// The number of a request in a conversation, and of the watch that it sets: the `id` on the wire.
// Rises from request to request.
struct Ticket {
  std::uint64_t value = 0;

  auto operator<=>(const Ticket&) const = default;
};

struct Send {  // over the open socket
  std::string frame;
  bool operator==(const Send&) const = default;
};
struct CloseSocket {  // and call `socket_lost`
  std::string reason;
  bool operator==(const CloseSocket&) const = default;
};
struct Complete {  // requests are completed in the order in which they were made
  Ticket ticket;
  wire::Result<wire::ReplyBody> result;
  wire::Zxid zxid;
};
struct Deliver {  // an event of the watch that `ticket` set, or the reason why the watch ended
  Ticket ticket;
  wire::Result<wire::WatchEvent> event;
  bool last = false;  // the watch has no further event
};
struct LearnServers {  // the addresses of the ensemble, as "ws://host:port/v1"
  std::vector<std::string> urls;
};
using Action = std::variant<Send, CloseSocket, Complete, Deliver, LearnServers, SessionEvent>;
using Actions = std::vector<Action>;

}  // namespace zabkeeper
