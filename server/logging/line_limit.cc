#include "server/logging/line_limit.h"

#include <utility>

namespace server {

bool LineLimit::may_write(Time now) {
  if (written_ == 0 || is_over(now)) {
    begin_ = now;
    written_ = 0;
  }
  if (written_ < lines_max) {
    written_ += 1;
    return true;
  }
  omitted_ += 1;
  return false;
}

std::uint64_t LineLimit::take_omitted(Time now) {
  return is_over(now) ? std::exchange(omitted_, 0) : 0;
}

}  // namespace server
