#include "server/logging/process_log.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <memory>
#include <mutex>
#include <poll.h>
#include <unistd.h>
#include <utility>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include "server/logging/line_writer.h"
#include "wire/terminal_text.h"

namespace server {
namespace {

constexpr auto pattern = "%Y-%m-%dT%H:%M:%S.%e%z %-8l %v";
constexpr std::chrono::milliseconds last_lines_timeout{1000};

std::string notice(std::uint64_t lines, const std::string& why) {
  const std::string text = std::to_string(lines) + " lines were not written: " + why;
  spdlog::memory_buf_t line;
  spdlog::pattern_formatter(pattern).format({"", spdlog::level::warn, text}, line);
  return fmt::to_string(line);
}

// The mutex is held only while a line is formatted.
class Sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  Sink() : writer_(STDOUT_FILENO, {}, notice) {}

  // Without waiting for the mutex.
  LineWriter& writer() { return writer_; }
  std::string final_messages() {
    const std::lock_guard lock(mutex_);
    return final_messages_;
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t formatted;
    formatter_->format(message, formatted);
    std::string text = fmt::to_string(formatted);
    text.pop_back();
    const std::string line = as_line(std::move(text)) + '\n';
    const bool is_last = message.level == spdlog::level::critical;
    if (is_last) final_messages_ += line;
    writer_.write(line,
                  is_last ? LineWriter::Importance::final_message : LineWriter::Importance::usual);
  }
  void flush_() override {}

 private:
  LineWriter writer_;
  std::string final_messages_;
};

// Lives as long as the process: a signal handler and threads use it to the end.
std::atomic<Sink*> sink = nullptr;

}  // namespace

void start_process_log() {
  const auto made = std::make_shared<Sink>();
  static const std::shared_ptr<Sink> kept = made;
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("", made));
  spdlog::set_pattern(pattern);
  sink = made.get();
}

std::string as_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return wire::terminal_text(text);
}

void finish_process_log() {
  Sink* const log = sink;
  if (log == nullptr || log->writer().finish(last_lines_timeout)) return;
  write_to_standard_error(log->final_messages());
}

void log_final_message(const std::string& text) {
  if (sink == nullptr) return write_to_standard_error("zabkeeper: " + as_line(text) + "\n");
  spdlog::critical("{}", text);
  finish_process_log();
}

void log_always(const std::string& text) {
  for (const auto& its : spdlog::default_logger()->sinks()) {
    its->log({"", spdlog::level::info, text});
    its->flush();
  }
}

std::uint64_t dropped_log_lines() {
  Sink* const log = sink;
  return log == nullptr ? 0 : log->writer().dropped();
}

void write_to_standard_error(std::string_view text) {
  while (!text.empty()) {
    pollfd writable{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&writable, 1, 0) != 1 || (writable.revents & POLLOUT) == 0) return;
    const ssize_t count =
        ::write(STDERR_FILENO, text.data(), std::min<std::size_t>(text.size(), 512));
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void wait_for_process_log() {
  Sink* const log = sink;
  constexpr timespec step{0, 5'000'000};
  for (int i = 0; log != nullptr && log->writer().is_busy() && i < 100; ++i) {
    ::nanosleep(&step, nullptr);
  }
}

}  // namespace server
