#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/metrics/counters.h"
#include "server/metrics/process.h"
#include "server/metrics/status.h"

namespace server {

// Everything that GET /metrics shows, at one moment.
struct Readings {
  struct Peer {
    std::uint32_t id = 0;
    bool connected = false;
    std::uint64_t queued_bytes = 0;
    LinkCounters link;
  };
  // The length of one of the server's queues.
  struct Queue {
    const char* name = "";
    std::uint64_t length = 0;
  };

  // Requests for a command of operators.
  struct CommandCount {
    std::string command;
    std::uint64_t requests = 0;
  };

  // The use of one budget by clients, and how often each measure was taken at its limits.
  struct Budget {
    struct Measure {
      const char* name = "";
      std::uint64_t count = 0;
    };
    const char* name = "";
    std::uint64_t used_bytes = 0;
    std::uint64_t limit_bytes = 0;
    std::vector<Measure> measures = {};
  };

  Status status;
  ProcessReadings process;

  // Protocol.
  wire::Epoch accepted_epoch;
  wire::Zxid proposed;   // the last transaction of the history
  wire::Zxid committed;  // as far as this server knows
  std::uint64_t outstanding_proposals = 0;
  double unserved_seconds = 0;
  std::int64_t clock_offset_ms = 0;  // of the wall clock to the ensemble's time
  std::uint64_t clock_jumps = 0;
  Histogram outages;
  DriverCounters driver;
  LeaderCounters leader;
  std::vector<Queue> queues;
  std::uint64_t held_bytes = 0;  // of commands of other servers
  std::uint64_t held_bytes_max = 0;
  std::uint64_t outstanding_bytes = 0;  // of transactions that this leader has proposed
  std::uint64_t outstanding_bytes_max = 0;
  std::vector<Peer> peers;
  PeerPortCounters peer_port;

  // State.
  ReplicaCounters replica;
  std::uint64_t tree_data_bytes = 0;
  std::uint64_t state_bytes = 0;  // the memory of the tree and the sessions
  std::uint64_t state_bytes_max = 0;
  std::uint64_t ephemerals = 0;
  std::uint64_t sessions_max = 0;  // of the ensemble; 0: no limit

  // Clients.
  PortCounters port;
  std::uint64_t connections_max = 0;  // 0: no limit
  std::vector<CommandCount> operator_requests;
  RequestCounters requests;
  std::uint64_t indexed_children = 0;  // looked at for indexes of numbers
  std::uint64_t outstanding_requests = 0;
  std::uint64_t paused_connections = 0;
  std::uint64_t queued_bytes = 0;  // not sent to clients yet
  std::uint64_t memory_limit_bytes = 0;
  std::vector<Budget> budgets;

  // Disk.
  LogCounters log;

  // The server's own log of lines.
  std::uint64_t omitted_lines = 0;
  std::uint64_t dropped_lines = 0;
};

}  // namespace server
