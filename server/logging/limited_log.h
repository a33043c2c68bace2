#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <spdlog/spdlog.h>

#include "server/logging/line_limit.h"

namespace server {

// The kinds of lines that a client, a stranger at a port, or an expiring session can cause. The
// lines of one kind share a limit.
enum class LineKind : std::uint8_t {
  session_expires,
  connection_refused,  // of a client
  greeting_refused,    // at the peer port
  dial_failed,
  link_changed,
  unsendable,       // a message to another server
  command_ignored,  // that another server forwarded
  protocol_note,    // of zab/
  role_changed,
};
inline constexpr std::size_t line_kinds = 9;

// Writes lines to the log, unless LineLimit forbids it. Any thread may call it.
class LimitedLog {
 public:
  using Level = spdlog::level::level_enum;
  using Write = std::function<void(Level, std::string_view line)>;

  explicit LimitedLog(Write write) : write_(std::move(write)) {}

  void line(LineKind kind, Level level, const std::string& text, LineLimit::Time now);
  // Writes how many lines were omitted in the last second. Call it once a second or more often.
  // `now` is the present time.
  void tick(LineLimit::Time now);
  // Lines that were not written, since the start.
  [[nodiscard]] std::uint64_t omitted() const;

 private:
  struct Kind {
    LineLimit limit;
    Level level = Level::info;
    std::string last;  // the last line that was omitted
  };

  void write_omitted(Kind& kind, LineLimit::Time now);

  Write write_;
  mutable std::mutex mutex_;  // guards the rest
  std::array<Kind, line_kinds> kinds_;
  std::uint64_t omitted_ = 0;
};

// The log of this process, which writes to spdlog's default logger.
[[nodiscard]] LimitedLog& limited_log();

// Logs a line in spdlog's format, within the limit of its kind.
template <class... Values>
void log_limited(LineKind kind, LimitedLog::Level level, fmt::format_string<Values...> format,
                 Values&&... values) {
  if (!spdlog::should_log(level)) return;
  limited_log().line(kind, level, fmt::format(format, std::forward<Values>(values)...),
                     std::chrono::steady_clock::now());
}

}  // namespace server
