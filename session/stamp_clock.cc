#include "session/stamp_clock.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace session {
namespace {

using Micros = StampClock::Micros;

constexpr std::int64_t millionths = 1'000'000;
constexpr std::int64_t rate_max = millionths / 10;
constexpr Micros earliest = std::numeric_limits<Micros>::min();

// Far from the limits of the type, so that differences fit.
Micros exact(wire::TimeMs time) {
  constexpr wire::TimeMs most = wire::TimeMs{1} << 50;
  return 1000 * std::clamp(time, -most, most);
}

// Down, also before 1970.
wire::TimeMs rounded(Micros time) { return time / 1000 - (time % 1000 < 0 ? 1 : 0); }

bool is_small(Micros difference) {
  return -StampClock::small <= difference && difference <= StampClock::small;
}

}  // namespace

StampClock::StampClock(Monotonic now, wire::TimeMs time)
    : base_(exact(time)), since_(now), last_(earliest) {}

wire::TimeMs StampClock::time(Monotonic now) const { return rounded(exact_time(now)); }

Micros StampClock::exact_time(Monotonic now) const {
  const Micros passed = now - since_;
  return base_ + passed + passed * rate_ / millionths;
}

wire::TimeMs StampClock::follow(Monotonic now, wire::TimeMs guide) {
  base_ = exact_time(now);
  since_ = now;
  const Micros difference = exact(guide) - base_;
  if (is_small(difference)) {
    differs_ = false;
    // As if to make up for all of it in the time that a large one must last.
    rate_ = std::clamp(difference * millionths / patience, -rate_max, rate_max);
    return drop_large_lead(now);
  }
  rate_ = 0;
  if (!differs_ || !is_small(difference - large_.difference)) {
    differs_ = true;
    large_ = {difference, now};
  } else if (now - large_.since >= patience) {
    return jump(now, difference);
  }
  return drop_large_lead(now);
}

wire::TimeMs StampClock::adopt(Monotonic now, wire::TimeMs guide) {
  const Micros difference = exact(guide) - exact_time(now);
  return is_small(difference) ? follow(now, guide) : jump(now, difference);
}

wire::TimeMs StampClock::jump(Monotonic now, Micros difference) {
  const bool is_back = difference < 0;
  ahead_ = is_back ? 0 : std::max<Micros>(0, ahead(now) - difference);
  ahead_since_ = now;
  base_ = exact_time(now) + difference;
  since_ = now;
  rate_ = 0;
  differs_ = false;
  last_ = earliest;
  return rounded(difference);
}

void StampClock::begin_stamps(Monotonic now, wire::TimeMs last) {
  last_ = exact(last);
  ahead_ = std::max<Micros>(0, last_ - exact_time(now));
  ahead_since_ = now;
}

Micros StampClock::ahead(Monotonic now) const {
  return is_small(ahead_) ? std::max<Micros>(0, ahead_ - (now - ahead_since_) / 10) : ahead_;
}

wire::TimeMs StampClock::drop_large_lead(Monotonic now) {
  if (is_small(ahead_) || now - ahead_since_ < patience) return 0;
  last_ = earliest;
  return -rounded(std::exchange(ahead_, 0));
}

wire::TimeMs StampClock::stamp(Monotonic now) {
  last_ = std::max(last_, exact_time(now) + ahead(now));
  return rounded(last_);
}

}  // namespace session
