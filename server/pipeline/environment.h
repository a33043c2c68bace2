#pragma once

#include <string>

#include "server/metrics/counters.h"
#include "server/peers/peer_message.h"
#include "wire/records.h"
#include "zab/events.h"

namespace server {

// The server around a pipeline: the real one, or that of a test.
class Environment {
 public:
  virtual ~Environment() = default;

  // To this server's own part in the protocol, behind what was posted before; never before this
  // returns.
  virtual void post(zab::Event event) = 0;
  // To another server; lost if the link is down.
  virtual void send(zab::ServerId to, const PeerMessage& message) = 0;

  [[nodiscard]] virtual wire::TimeMs wall_clock() = 0;
  // Only to count how long things took: nothing is decided by it.
  [[nodiscard]] virtual SteadyClock::time_point now() { return {}; }
  // For a session: 128 random bits as 32 hex digits.
  [[nodiscard]] virtual std::string new_password() = 0;
};

}  // namespace server
