#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/storage/log.h"
#include "tests/sim/checkpoint.h"
#include "tests/sim/random.h"
#include "tests/sim/totals.h"
#include "tests/support/sim_file_system.h"
#include "zab/effects.h"
#include "zab/state.h"

namespace sim {

// What one server writes to: the production log and a checkpoint, on a file system that loses what
// is not synced, fails and rots. When a write ends is the cluster's business.
class Disk {
 public:
  Disk(zab::ServerId server, Random& random, Totals& totals);

  enum class Done : std::uint8_t { well, failed };  // failed: the process has to end

  // --- A process that runs ---

  // What it finds when it starts; `failed` only if the disk is full.
  Done open();
  [[nodiscard]] bool is_open() const { return log_.has_value(); }
  [[nodiscard]] const zab::Durable& recovered() const { return recovered_; }
  [[nodiscard]] const Checkpoint& checkpoint() const { return checkpoint_; }

  // All of it becomes durable.
  Done write(const std::vector<zab::Persist>& batch);
  // The state, of which the log holds everything, becomes the checkpoint.
  Done take(const Checkpoint& state);
  // Nothing if the log has it no more. An error is damage.
  storage::Result<std::optional<storage::Stretch>> read_after(zab::Point after);
  [[nodiscard]] wire::Bytes snapshot() const { return encode(checkpoint_, padding_); }

  // --- How it ends ---

  // While it writes `batch`, perhaps of a power failure.
  void crash_during(const std::vector<zab::Persist>& batch);
  // While it takes a checkpoint.
  void crash_during(const Checkpoint& state);

  // --- What happens to the disk ---

  // The next write fails, or what needs space, or a sync.
  void fail_soon(Fault fault);
  void fail_no_more() { files_->heal(); }
  void set_full(bool full) { files_->set_full(full); }
  // Whether something was changed. What the log promised is proven first.
  bool rot();
  // Another disk in its place, empty; perhaps its file system is full of something else.
  enum class Space : std::uint8_t { enough, none };
  void wipe(Space space);
  // Another disk in its place, of another cluster.
  void replace(const std::vector<zab::Persist>& content);

 private:
  Done open_log();
  void end(bool power);
  Done try_write(const std::vector<zab::Persist>& batch);
  [[nodiscard]] bool is_written_over() const;
  Done store(const zab::StoreSnapshot& chunk);
  Done put(const std::string& path, const wire::Bytes& bytes);
  Done write_checkpoint(const wire::Bytes& bytes);
  Done adopt_staged(zab::Point at);
  void drop_staged();
  std::optional<std::string> read_file(const std::string& path);

  zab::ServerId server_;
  Random& random_;
  Totals& totals_;
  storage::LogOptions options_;
  std::uint64_t keep_bytes_;
  std::size_t padding_;
  std::unique_ptr<SimFileSystem> files_;
  std::optional<storage::Log> log_;
  bool power_fails_ = false;  // an error is to be expected
  bool broken_ = false;       // a write has failed
  bool written_ = false;      // since it was opened
  bool swapped_ = false;      // two files were, and must not be swapped back
  zab::Durable recovered_;
  std::uint64_t segment_ = 0;  // that is being written
  Checkpoint checkpoint_;
  wire::Bytes staged_;  // of the snapshot that is being stored
  std::uint64_t read_max_;
};

}  // namespace sim
