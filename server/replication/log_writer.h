#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "server/checkpoints/incoming_snapshot.h"
#include "server/logging/reported_reasons.h"
#include "server/metrics/counters.h"
#include "server/storage/log.h"
#include "zab/effects.h"

namespace boost::asio {
class io_context;
}

namespace server {

// Writes and reads the log on a thread of its own, so that the driver does not wait for the disk.
// Writes that arrive during one sync are written together by the next: group commit. After a while
// without writes the last commit is marked, so that damage to it can be distinguished from a crash.
// One more thread prepares spare files for later segments.
class LogWriter {
 public:
  // `failed` is called, on the writer's thread, with the error if the log or `snapshot` cannot be
  // written: nothing may be promised any more, and it has to end the process.
  LogWriter(boost::asio::io_context& io, storage::Log log, IncomingSnapshot& snapshot,
            std::function<void(const wire::Error&)> failed);
  // Writes everything that is queued, calls no `done` for it, and ends the thread.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // From now on `then` is called on the io_context whenever a read finds damage. To be called
  // before anything is read.
  void when_unreadable(std::function<void()> then) { unreadable_ = std::move(then); }

  // The level of what is given to be written after this call: see Log::set_level. What was given
  // before keeps its level.
  void set_level(wire::Level level);
  // As storage::Log::greatest_level, on any thread.
  [[nodiscard]] wire::Level greatest_level() const { return {greatest_level_}; }

  using Stretch = std::optional<storage::Stretch>;

  // Calls `done` on the io_context once `persist`, and everything given before it, is durable.
  void write(std::vector<zab::Persist> persist, std::function<void()> done);
  // Calls `done` on the io_context with the transactions after `after` that were given to be
  // written before this call: see Log::read_after. Unreadable records are treated as purged. The
  // log is still written, and is found to be damaged when it is opened again.
  void read(zab::Point after, std::uint64_t max_bytes, std::function<void(Stretch)> done);
  // Removes the segments that `checkpoint`, which is durable, covers: see Log::purge.
  void purge(zab::Point checkpoint, std::uint64_t keep_bytes);

  // On the io_context's thread.
  [[nodiscard]] const LogCounters& counters() const { return counters_; }
  // Writes that are not durable yet.
  [[nodiscard]] std::size_t waiting() const { return waiting_; }

 private:
  struct Order {
    std::vector<zab::Persist> persist;
    std::function<void()> done;
    std::optional<wire::Level> level;  // set: the order only changes the level
  };
  struct Question {
    zab::Point after;
    std::uint64_t max_bytes;
    std::function<void(Stretch)> done;
  };
  // A spare file that is being prepared, on a thread of its own: it can take as long as many
  // commits.
  struct Making {
    storage::SpareWork work;
    std::future<wire::Result<void>> outcome;
  };

  struct Purge {
    zab::Point checkpoint;
    std::uint64_t keep_bytes;
  };

  void run();
  [[nodiscard]] wire::Result<void> stage(std::vector<zab::Persist> persists,
                                         std::optional<zab::AdoptHistory>& adopted);
  [[nodiscard]] wire::Result<void> carry_out(std::vector<Order> orders);
  [[nodiscard]] wire::Result<void> write(std::vector<Order> orders);
  void answer(std::vector<Question> questions);
  void report_damage(const std::string& what);
  void report_without_spare(const std::string& reason);
  void work_ahead();

  boost::asio::io_context& io_;
  storage::Log log_;
  IncomingSnapshot& snapshot_;
  std::function<void(const wire::Error&)> failed_;
  std::function<void()> unreadable_ = [] {};  // on the io_context
  LogCounters counters_;                      // of the io_context's thread
  std::size_t waiting_ = 0;                   // likewise
  std::optional<Making> making_;              // of the thread alone, as log_ is
  ReportedReasons reported_;                  // likewise

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Order> orders_;        // guarded by mutex_
  std::vector<Question> questions_;  // guarded by mutex_
  std::optional<Purge> purge_;       // guarded by mutex_; a later one includes it
  bool stopping_ = false;            // guarded by mutex_

  std::atomic<std::uint32_t> greatest_level_;

  std::thread thread_;  // last: it runs as soon as it is made
};

}  // namespace server
