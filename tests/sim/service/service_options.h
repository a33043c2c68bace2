#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "tests/sim/options.h"

namespace sim {

// The length of a tick for servers and clients, in milliseconds.
constexpr std::int64_t tick_ms = 50;

// How a user asks for more than its share.
enum class Greed : std::uint8_t {
  none,
  requests,  // large data, multis and lists, many watches, many requests at once
  sessions,  // opens one session after another, and leaves them to expire
};

// Small limits, so that greedy users meet them. Each request is charged by its bytes then.
struct SmallLimits {
  std::vector<Greed> greedy;  // users besides the others; none: the usual limits
  std::uint64_t memory = 0;   // of a server, in bytes: see server::budget_table
  std::uint32_t data_bytes = 0;
  std::size_t frame_bytes = 0;
  std::size_t reply_bytes = 0;
  std::uint32_t multi_ops = 0;
  std::uint32_t watches = 0;              // of a session
  std::uint32_t address_sessions = 0;     // at one server
  std::uint32_t sessions_per_second = 0;  // of an address, at one server

  [[nodiscard]] bool are_on() const { return !greedy.empty(); }
};

// The options of a run with the service, besides those of its cluster.
struct ServiceOptions {
  std::size_t users = 4;
  Time think_max = tick;  // between two requests of a user
  Time client_delay_max = tick / 2;
  std::size_t depth_max = 4;  // outstanding requests of a user
  Every cut = 0;              // of a client's connection
  Every sleep = 0;            // of a client
  Every clock_jump = 0;       // a server's wall clock is wrong for a while
  std::uint32_t outstanding_max = 1000;
  std::size_t slice_bytes = 256 * 1024;  // of replies for one client in one turn
  // How many commands may be planned and not applied. Others are held.
  std::size_t session_commands_max = 128;
  std::size_t all_commands_max = 16'384;
  // A client has no room for an event while so many messages are on their way to it.
  std::size_t events_max = 1'000'000;
  std::int64_t timeout_ticks_min = 10;
  std::int64_t timeout_ticks_max = 25;
  // As in znode::ReapingRules, in ticks.
  std::int64_t container_idle_ticks = 5;
  std::int64_t container_unused_ticks = 0;
  bool locks = false;        // users also use a lock
  bool multi_locks = false;  // and several locks together
  bool barriers = false;     // and a barrier
  bool trees = false;        // users also follow parts of the tree
  bool groups = false;       // users are also members of a group
  bool counters = false;     // users also add to counters
  bool queues = false;       // users also put items into a queue, and take them
  bool delays = false;       // the items have due times
  // Users also are participants of a double barrier, so many in each generation; 0: they are not.
  std::size_t double_barrier = 0;
  bool upgrade_automatically = false;
  bool programs = false;      // servers run an older or a newer program
  Every replace_program = 0;  // of a server
  Every change_level = 0;     // by an operator
  std::size_t state_bytes_max = std::numeric_limits<std::size_t>::max();  // until healing begins
  SmallLimits small;
};

[[nodiscard]] ServiceOptions service_options_from(std::uint64_t seed);
// The options of the cluster under a service: requests come from users.
[[nodiscard]] Options with_service(Options options);

}  // namespace sim
