#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/metrics/counters.h"
#include "server/peers/peer_message.h"
#include "wire/forms.h"
#include "wire/records.h"
#include "zab/events.h"

namespace server {

// The levels at which the program of one server of the configuration can run.
struct ServerLevels {
  std::uint32_t server = 0;
  std::optional<wire::LevelRange> levels;  // none: it has no link with this server
};

// The server around a pipeline: the real server (replication/server_environment.h), the simulator
// or a unit test.
class Environment {
 public:
  virtual ~Environment() = default;

  // What the wall clock shows. It may be wrong, and may be set at any time: see EnsembleClock.
  [[nodiscard]] virtual wire::TimeMs wall_clock() = 0;
  // Measures durations. The times of transactions run with it.
  [[nodiscard]] virtual SteadyClock::time_point now() { return {}; }

  // Queues an event for this server's own peer, behind the events posted before. The peer never
  // processes it before this returns.
  virtual void post(zab::Event event) = 0;
  // Sends to another server. The message is lost if the link is down.
  virtual void send(zab::ServerId to, const PeerMessage& message) = 0;

  // Calls Pipeline::go_on in a later turn of the event loop, behind what is ready now.
  virtual void call_soon() = 0;

  // The present levels of every server of the configuration, this one included.
  [[nodiscard]] virtual std::vector<ServerLevels> server_levels() = 0;
  // The ensemble is at this level from now on, as of the last transaction applied.
  virtual void level_changed(wire::Level level) = 0;

  // A new session's password: 128 random bits as 32 hex digits.
  [[nodiscard]] virtual std::string new_password() = 0;
};

}  // namespace server
