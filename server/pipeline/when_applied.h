#pragma once

#include <cstdint>
#include <variant>

#include "session/commands.h"
#include "wire/zxid.h"

namespace server {

// An action that is due once `zxid` is applied here.
struct WhenApplied {
  // The command under `tag` became no transaction: reply with the refusal.
  struct ReplyRefusal {
    std::uint64_t tag = 0;
    session::Refusal refusal;
  };
  // The read under `tag` waits for nothing but its place in its client's order.
  struct ReleaseRead {
    std::uint64_t tag = 0;
  };
  // The client can get its session.
  struct RequestSession {
    std::uint64_t client = 0;  // Client::number
  };
  // The leader has confirmed the touches of an interval: see TouchIntervals.
  struct CountTouches {
    std::uint64_t token = 0;
  };
  using Action = std::variant<ReplyRefusal, ReleaseRead, RequestSession, CountTouches>;

  wire::Zxid zxid;
  Action action;
};

}  // namespace server
