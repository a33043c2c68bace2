#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/metrics/checkpoint_report.h"
#include "wire/forms.h"
#include "wire/replies.h"

namespace server {

// The fields of GET /status, as docs/protocol.md describes them.
struct Status {
  struct Peer {
    std::uint32_t id = 0;
    std::string address;  // host:port
    bool connected = false;
    bool observer = false;
    std::string program;                     // empty while there is no link
    std::optional<wire::LevelRange> levels;  // at which its program can run
  };

  std::uint32_t id = 0;
  wire::Role role = wire::Role::looking;
  bool serving = false;      // answers reads and writes
  std::uint32_t leader = 0;  // 0 while there is none
  wire::Epoch epoch;
  wire::Zxid zxid;          // last applied
  std::vector<Peer> peers;  // the others
  std::uint64_t sessions = 0;
  std::uint64_t connections = 0;
  std::uint64_t nodes = 0;
  std::uint64_t watches = 0;
  std::uint64_t lag = 0;             // transactions committed or proposed, and not applied here yet
  std::int64_t clock_offset_ms = 0;  // how far the wall clock is ahead of the ensemble's time
  CheckpointReport checkpoint;
  std::uint64_t log_bytes = 0;  // on disk
  std::uint64_t log_segments = 0;
  std::uint64_t disk_free_bytes = 0;  // of the log's file system, for this process
  std::uint64_t disk_size_bytes = 0;
  bool damaged = false;  // the log has lost something, and this server does not vote
  std::string cluster;   // its id in hex; empty before it is known
  std::string data_dir;
  wire::Level level;        // of the ensemble, as of `zxid`
  wire::LevelRange levels;  // at which this program can run
  wire::Level disk_level;   // the greatest of what is on the disk
  std::string version;
};

}  // namespace server
