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

// The disk of one server: the production log and a checkpoint, on a file system with faults. It
// loses unsynced writes, returns errors, and corrupts data. The cluster decides how long a write
// takes.
class Disk {
 public:
  Disk(zab::ServerId server, Random& random, Totals& totals);

  enum class Done : std::uint8_t { well, failed };  // failed: the process must end

  // --- For a running process ---

  // Recovers the log and the checkpoint. Fails only if the disk is full.
  Done open();
  [[nodiscard]] bool is_open() const { return log_.has_value(); }
  [[nodiscard]] const zab::Durable& recovered() const { return recovered_; }
  [[nodiscard]] const Checkpoint& checkpoint() const { return checkpoint_; }

  // Makes a batch durable.
  Done write(const std::vector<zab::Persist>& batch);
  // Stores a checkpoint. The log must have all its transactions.
  Done take(const Checkpoint& state);
  // Reads the log after a point. None if the log begins later; an error if the log is damaged.
  storage::Result<std::optional<storage::Stretch>> read_after(zab::Point after);
  [[nodiscard]] wire::Bytes snapshot() const { return encode(checkpoint_, padding_); }

  // --- Crashes ---

  // A crash while `batch` is written, possibly a power failure.
  void crash_during(const std::vector<zab::Persist>& batch);
  // A power failure while a checkpoint is stored.
  void crash_during(const Checkpoint& state);

  // --- Faults of the disk ---

  // One of the next file operations fails.
  void fail_soon(Fault fault);
  void fail_no_more() { files_->heal(); }
  void set_full(bool full) { files_->set_full(full); }
  // Corrupts the log or loses the checkpoint. First writes a mark, so that the log can prove its
  // last batch. Returns whether something was changed.
  bool rot();
  // Replaces the disk by an empty one; with Space::none its file system is full.
  enum class Space : std::uint8_t { enough, none };
  void wipe(Space space);
  // Replaces the disk by one with this content.
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
  bool power_fails_ = false;  // errors are expected now
  bool broken_ = false;       // a write has failed
  bool written_ = false;      // a batch was written since the log was opened
  bool swapped_ = false;      // two files were swapped, and must not be swapped back
  zab::Durable recovered_;
  std::uint64_t segment_ = 0;  // the segment that is being written
  Checkpoint checkpoint_;
  wire::Bytes staged_;  // the chunks received of a snapshot
  std::uint64_t read_max_;
};

}  // namespace sim
