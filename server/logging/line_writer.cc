#include "server/logging/line_writer.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <mutex>
#include <poll.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "server/threads/thread.h"

namespace server {
namespace {

constexpr std::size_t final_message_bytes = 64 * 1024;

std::uint64_t lines_in(std::string_view text) {
  return static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
}

// Whole lines that a pipe takes at once, so that the lines of other processes do not come between
// them. A longer line is a piece of its own.
std::string_view first_piece(std::string_view text) {
  if (text.size() <= PIPE_BUF) return text;
  const std::size_t end = text.rfind('\n', PIPE_BUF - 1);
  return text.substr(0, (end == text.npos ? text.find('\n') : end) + 1);
}

// Waits while the reader does not read. Returns the error of the system, or 0.
int put(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {  // another process made the same pipe or terminal non-blocking
      pollfd writable{descriptor, POLLOUT, 0};
      ::poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace

class LineWriter::Queue {
 public:
  Queue(int descriptor, Limits limits, Notice notice)
      : descriptor_(descriptor), limits_(limits), notice_(std::move(notice)) {}

  void add(std::string_view line, Importance importance) {
    const std::lock_guard lock(mutex_);
    const std::size_t reserve = importance == Importance::final_message ? final_message_bytes : 0;
    // After a dropped line, later lines are dropped too, until the thread has reported the loss. So
    // the report is at the place of the dropped lines.
    const bool fits = text_.size() + line.size() <= limits_.bytes + reserve &&
                      (lines_ < limits_.lines || reserve > 0) && (lost_ == 0 || reserve > 0);
    if (!fits) {
      lost_ += 1;
      dropped_ += 1;
      return;
    }
    text_ += line;
    lines_ += 1;
    busy_ = true;
    wake_.notify_one();
  }

  void stop() {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }

  bool finish(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return idle_.wait_for(lock, timeout, [this] { return !busy_; });
  }

  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  [[nodiscard]] bool is_busy() const { return busy_; }

  // The thread.
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return stopping_ || !text_.empty() || lost_ > 0; });
      if (text_.empty() && lost_ == 0) return;
      const std::string text = std::exchange(text_, {});
      const std::uint64_t lost = std::exchange(lost_, 0);
      lines_ = 0;
      lock.unlock();
      write_out(text);
      if (lost > 0) say(lost, "they came faster than they could be written");
      lock.lock();
      busy_ = !text_.empty() || lost_ > 0;
      if (!busy_) idle_.notify_all();
    }
  }

 private:
  void write_out(std::string_view text) {
    if (failed_ > 0 && !text.empty()) {
      const std::uint64_t before = std::exchange(failed_, 0);
      say(before, std::generic_category().message(error_));
    }
    while (!text.empty()) {
      const std::string_view piece = first_piece(text);
      text.remove_prefix(piece.size());
      if (const int error = put(descriptor_, piece)) {
        failed_ += lines_in(piece);
        dropped_ += lines_in(piece);
        error_ = error;
      }
    }
  }

  void say(std::uint64_t lines, const std::string& why) {
    if (const int error = put(descriptor_, notice_(lines, why))) {
      failed_ += lines;
      error_ = error;
    }
  }

  const int descriptor_;
  const Limits limits_;
  const Notice notice_;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::atomic<bool> busy_ = false;
  std::uint64_t failed_ = 0;  // only on the thread: failed lines that are not reported yet
  int error_ = 0;             // only on the thread: the last error

  std::mutex mutex_;  // guards the rest
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::string text_;
  std::size_t lines_ = 0;   // in text_
  std::uint64_t lost_ = 0;  // lines dropped after text_
  bool stopping_ = false;
};

LineWriter::LineWriter(int descriptor, Limits limits, Notice notice)
    : queue_(std::make_shared<Queue>(descriptor, limits, std::move(notice))) {
  start_thread("that writes the log messages", [queue = queue_] { queue->run(); }).detach();
}

LineWriter::~LineWriter() { queue_->stop(); }

void LineWriter::write(std::string_view line, Importance importance) {
  queue_->add(line, importance);
}

bool LineWriter::finish(std::chrono::milliseconds timeout) { return queue_->finish(timeout); }
std::uint64_t LineWriter::dropped() const { return queue_->dropped(); }
bool LineWriter::is_busy() const { return queue_->is_busy(); }

}  // namespace server
