#pragma once

#include <chrono>

namespace server {

// The options of this room.
struct ReplicationOptions {
  std::chrono::milliseconds heartbeat{50};  // the time between two ticks
  bool only_server = true;  // the ensemble has no other server that could take over the lead
};

}  // namespace server
