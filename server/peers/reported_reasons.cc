#include "server/peers/reported_reasons.h"

namespace server {

bool ReportedReasons::is_new(const std::string& reason, TimePoint now) {
  if (!reasons_.empty() && now - since_ >= forgotten_after) forget();
  if (reasons_.size() >= reasons_max) return false;
  if (reasons_.empty()) since_ = now;
  return reasons_.insert(reason).second;
}

void ReportedReasons::forget() { reasons_.clear(); }

}  // namespace server
