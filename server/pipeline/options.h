#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "server/pipeline/fair_queue.h"
#include "wire/forms.h"
#include "znode/hash_key.h"

namespace server {

// How the pipeline is configured.
struct PipelineOptions {
  std::uint32_t id = 0;                 // of this server
  bool standalone = true;               // this server is not part of an ensemble
  std::vector<std::string> advertised;  // "ws://host:port/v1" of every server, sent to clients
  // The ids of all servers, and of those that vote; both include this one, if it votes. They tell
  // each other what their clocks show.
  std::vector<std::uint32_t> servers;
  std::vector<std::uint32_t> voters;
  std::chrono::milliseconds heartbeat{50};  // the time between two ticks
  // As in znode::ReapingRules.
  std::chrono::milliseconds container_idle{60'000};
  std::chrono::milliseconds container_unused{0};
  std::chrono::milliseconds min_session_timeout{4000};
  std::chrono::milliseconds max_session_timeout{40'000};
  std::uint32_t max_outstanding_requests = 1000;  // per session
  std::uint32_t max_watches = 10'000;             // per session
  std::uint32_t max_multi_ops = 1000;
  std::uint32_t max_data_bytes = 1024 * 1024;
  std::size_t max_reply_bytes = std::size_t{16} << 20;
  // As in session::ServiceOptions.
  std::size_t state_bytes_max = std::numeric_limits<std::size_t>::max();
  // See Planner.
  std::size_t held_bytes_max = std::numeric_limits<std::size_t>::max();
  FairQueue::Bounds outstanding_commands = {};
  // 0: no limit.
  std::uint32_t max_sessions = 0;         // of the ensemble
  std::uint32_t max_client_sessions = 0;  // see AddressSessionLimits
  std::uint32_t client_sessions_per_second = 0;
  std::size_t slice_bytes = 256 * 1024;  // of replies, for one client in one turn: see slices.h
  bool read_only_mode = false;           // serve reads without a quorum to clients that ask for it
  std::string super_digest;              // "user:hash"; empty: there is no super user
  // upgrade: raise the level of the ensemble as soon as all servers can run at a greater one.
  bool upgrade_automatically = false;
  wire::LevelRange levels = wire::known_levels;  // at which this program can run
  znode::HashKey hash_key;                       // see session::Watches::Options

  // The whole ticks in this time.
  [[nodiscard]] std::uint64_t ticks(std::chrono::milliseconds time) const {
    return static_cast<std::uint64_t>(time / heartbeat);
  }
};

}  // namespace server
