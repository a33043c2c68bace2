#include "server/logging/limited_log.h"

namespace server {

void LimitedLog::line(LineKind kind, Level level, const std::string& text, LineLimit::Time now) {
  const std::lock_guard lock(mutex_);
  Kind& its = kinds_.at(static_cast<std::size_t>(kind));
  write_omitted(its, now);
  if (its.limit.may_write(now)) return write_(level, text);
  omitted_ += 1;
  its.level = level;
  its.last = text;
}

void LimitedLog::tick(LineLimit::Time now) {
  const std::lock_guard lock(mutex_);
  for (Kind& kind : kinds_) write_omitted(kind, now);
}

std::uint64_t LimitedLog::omitted() const {
  const std::lock_guard lock(mutex_);
  return omitted_;
}

void LimitedLog::write_omitted(Kind& kind, LineLimit::Time now) {
  const std::uint64_t omitted = kind.limit.take_omitted(now);
  if (omitted == 0) return;
  write_(kind.level,
         kind.last + " … and " + std::to_string(omitted - 1) + " more like it in the last second");
  kind.last.clear();
}

LimitedLog& limited_log() {
  static LimitedLog log(
      [](LimitedLog::Level level, std::string_view line) { spdlog::log(level, "{}", line); });
  return log;
}

}  // namespace server
