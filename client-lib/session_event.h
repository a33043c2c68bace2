#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "wire/records.h"
#include "wire/replies.h"

namespace zabkeeper {

// A change in the state of a session.
struct SessionEvent {
  enum class Kind : std::uint8_t {
    connected,     // to a server, for the first time or again
    disconnected,  // the session may still be open; the client tries another server
    expired,       // the session has ended, with its ephemerals and watches
    closed,        // by this client
  };

  Kind kind = Kind::connected;
  wire::SessionId session;
  std::uint32_t server = 0;               // `connected`: the server's id
  wire::Role role = wire::Role::looking;  // `connected`: the server's role
  bool resumed = false;                   // `connected`: the same session as before
  std::string reason;                     // `disconnected`, `expired`: a text for people

  bool operator==(const SessionEvent&) const = default;
};

[[nodiscard]] inline SessionEvent session_end(SessionEvent::Kind kind, wire::SessionId session,
                                              std::string reason) {
  return {kind, session, 0, wire::Role::looking, false, std::move(reason)};
}

}  // namespace zabkeeper
