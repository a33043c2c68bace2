#pragma once

#include <optional>
#include <vector>

#include "server/storage/log.h"
#include "tests/sim/random.h"
#include "tests/support/sim_file_system.h"
#include "zab/effects.h"
#include "zab/state.h"

namespace sim {

// What `durable` is once `persist` is durable too: the meaning of the log's records.
void apply(const zab::Persist& persist, zab::Durable& durable);

// What one server writes to: the production log, on a file system that loses what is not synced.
// When a write ends is the cluster's business.
class Disk {
 public:
  Disk(zab::ServerId server, Random& random);

  // All of it becomes durable.
  void write(const std::vector<zab::Persist>& batch);
  // The server dies while it writes `batch`, perhaps of a power failure; and perhaps of another one
  // while it recovers.
  void crash_during(const std::vector<zab::Persist>& batch);
  // What a server finds when it starts.
  [[nodiscard]] const zab::Durable& recovered() const { return recovered_; }

 private:
  bool try_open();

  zab::ServerId server_;
  Random& random_;
  storage::Options options_;
  SimFileSystem files_;
  std::optional<storage::Log> log_;
  bool power_fails_ = false;  // an error is to be expected
  zab::Durable recovered_;
};

}  // namespace sim
