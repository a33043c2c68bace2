#include "server/logging/reported_reasons.h"

namespace server {

std::optional<std::uint64_t> ReportedReasons::note(const std::string& source,
                                                   const std::string& reason, TimePoint now) {
  const std::pair key{source, reason};
  if (const auto found = reasons_.find(key); found != reasons_.end()) {
    Logged& logged = found->second;
    if (now - logged.at >= silent_for) return std::exchange(logged, {now, 0}).repeats;
    logged.repeats += 1;
    return std::nullopt;
  }
  if (reasons_.size() >= reasons_max) {
    std::erase_if(reasons_, [&](const auto& entry) { return now - entry.second.at >= silent_for; });
  }
  if (reasons_.size() >= reasons_max) return std::nullopt;
  reasons_.emplace(key, Logged{now, 0});
  return 0;
}

void ReportedReasons::forget(const std::string& source) {
  std::erase_if(reasons_, [&](const auto& entry) { return entry.first.first == source; });
}

std::string repeated(std::uint64_t repeats) {
  if (repeats == 0) return {};
  return " (" + std::to_string(repeats) + " times more since the last such line)";
}

}  // namespace server
