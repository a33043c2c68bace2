#pragma once

#include "wire/error.h"
#include "wire/records.h"
#include "wire/zxid.h"

namespace session {

// The error of a request of a session that is not open.
[[nodiscard]] inline wire::Error not_open(wire::SessionId session) {
  return {wire::ErrorCode::session_expired,
          "session " + wire::to_hex(session.value) + " is not open"};
}

}  // namespace session
