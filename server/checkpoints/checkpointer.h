#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "server/checkpoints/shared_checkpoint.h"
#include "server/logging/reported_reasons.h"
#include "server/metrics/checkpoint_report.h"
#include "session/service.h"
#include "zab/effects.h"
#include "zab/events.h"

namespace boost::asio {
class io_context;
}

namespace server {

// Takes checkpoints of a running server, and reads the last one for learners. The image is
// collected on the event loop, a little at a time; files are read and written on a thread of its
// own. A checkpoint is written only once everything in it is durable in the log. Then the log
// before it is purged.
class Checkpointer {
 public:
  struct Rules {
    zab::ServerId server;
    std::uint64_t every = 100'000;     // transactions
    std::uint64_t log_keep_bytes = 0;  // of the log, for learners that lag behind
    std::string program = {};          // that writes them: "zabkeeper 0.2.0"
    // The most that a message to a learner can hold. A larger record is sent in several.
    std::size_t portion_bytes_max = std::size_t{32} << 20;
  };
  // The functions of the log that this needs.
  struct LogCalls {
    // Calls `done` on the io_context once everything that the log was given before is durable.
    std::function<void(std::function<void()> done)> when_durable;
    // As storage::Log::purge.
    std::function<void(zab::Point checkpoint, std::uint64_t keep_bytes)> purge;
    // As storage::Log::greatest_level.
    std::function<wire::Level()> greatest_level;
    // Removes everything of a level above `level` that is before this durable checkpoint: from the
    // log, and from the history in memory, which is for learners.
    std::function<void(zab::Point checkpoint, wire::Level level)> drop_before;
  };
  // All of them outlive this. `at` and `level` are of the existing checkpoint.
  Checkpointer(boost::asio::io_context& io, SharedCheckpoint& checkpoint, session::Service& service,
               LogCalls log, Rules rules, zab::Point at, wire::Level level);
  // Finishes the queued jobs, and ends the thread.
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // A transaction was applied. Begins a checkpoint if one is due.
  void applied(zab::Point at, zab::ClusterId cluster);
  // Some time has passed. Begins a checkpoint if one is due.
  void tick();
  // Takes a checkpoint of everything applied by now, as soon as possible, and calls `done` with the
  // result.
  void take(std::function<void(wire::Result<void>)> done);
  // The state of the service must not be used any more. Ends the checkpoint that is being taken,
  // and takes no other before `restored`.
  void stop();
  // The service now holds the state of a snapshot, which is the existing checkpoint.
  void restored(zab::Point at, wire::Level level);

  // Calls `done` on the event loop, unless the learner is forgotten meanwhile or the checkpoint
  // cannot be read.
  void read(const zab::ReadSnapshot& what, std::function<void(zab::SnapshotRead)> done);
  void forget(zab::ServerId learner);

  [[nodiscard]] const CheckpointReport& report() const { return report_; }
  // The greatest level of what is on the disk. It falls some time after the level of the ensemble.
  // Once both are equal, every program that can run at this level can read the disk.
  [[nodiscard]] wire::Level level_on_disk() const;

 private:
  using Clock = std::chrono::steady_clock;
  enum class Phase : std::uint8_t { idle, collecting, writing };

  void begin();
  void collect(std::uint64_t image);
  void write(std::uint64_t image);
  void written(std::uint64_t image, wire::Result<void> result,
               std::vector<wire::StoredRecord> unwritten);
  [[nodiscard]] bool is_time() const;
  // Whether something of a level above the ensemble's is on the disk.
  [[nodiscard]] bool has_former_level() const;
  void drop_former_level();

  // On the thread.
  void report_unreadable(zab::ServerId learner, const std::string& reason);
  // Queues a job for the thread, which does them in order.
  void hand_over(std::function<void()> job);
  void run();

  boost::asio::io_context& io_;
  SharedCheckpoint& checkpoint_;
  session::Service& service_;
  LogCalls log_;
  Rules rules_;

  Phase phase_ = Phase::idle;
  bool stopped_ = false;
  std::uint64_t image_ = 0;        // its number: results for an earlier one are ignored
  zab::Point at_;                  // of the existing checkpoint
  wire::Level level_;              // likewise
  wire::Level level_since_;        // the greatest one since then
  wire::Level level_since_begin_;  // and since the image that is being taken
  Clock::time_point not_dropped_before_;
  zab::Point last_applied_;
  zab::ClusterId cluster_;
  storage::CheckpointLabel label_;           // of the image that is being taken
  std::vector<wire::StoredRecord> records_;  // of it, after those that could not be written before
  Clock::time_point began_;
  Clock::time_point not_before_;
  std::vector<std::function<void(wire::Result<void>)>> waiting_;  // for this image
  std::vector<std::function<void(wire::Result<void>)>> next_;     // for the next one
  std::uint64_t since_begin_ = 0;  // transactions after the image that is being taken
  CheckpointReport report_;
  ReportedReasons unreadable_;  // of the thread alone

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;  // guarded by mutex_
  bool stopping_ = false;                   // guarded by mutex_
  std::thread thread_;                      // last: it runs as soon as it is made
};

}  // namespace server
