#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace server {

// Writes lines to a file descriptor on a thread of its own. A thread that logs never waits for the
// reader of the descriptor: a pipe whose reader hangs, a stopped terminal, a slow disk. Lines for
// which there is no room are dropped and counted. A line in their place says how many, as soon as
// there is room again. Any thread may call it.
class LineWriter {
 public:
  // How much may wait for the thread. The thread may be writing as much again.
  struct Limits {
    std::size_t bytes = std::size_t{1} << 20;
    std::size_t lines = 10'000;
  };
  // Makes the line about `lines` that were not written. Called on the writer's thread.
  using Notice = std::function<std::string(std::uint64_t lines, const std::string& why)>;

  // Does not own `descriptor`, which has to stay open. Throws std::system_error if no thread can be
  // started.
  LineWriter(int descriptor, Limits limits, Notice notice);
  // Does not wait: the thread ends once it has written what was queued, or with the process.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // For the last lines of a process there is some room beyond the limits.
  enum class Importance : std::uint8_t { usual, final_message };
  // `line` ends with a line feed.
  void write(std::string_view line, Importance importance = Importance::usual);
  // Waits until everything is written, but no longer than `timeout`. Returns whether it is.
  [[nodiscard]] bool finish(std::chrono::milliseconds timeout);

  // Lines that were not written, since the start.
  [[nodiscard]] std::uint64_t dropped() const;
  // Whether something is still to be written. Safe in a signal handler.
  [[nodiscard]] bool is_busy() const;

 private:
  class Queue;
  std::shared_ptr<Queue> queue_;  // the thread has it too
};

}  // namespace server
