#include "server/pipeline/touch_intervals.h"

#include <algorithm>

namespace server {
namespace {

// In a time t, the clocks of two servers run apart by less than t / clock_drift.
constexpr std::int64_t clock_drift = 32;

}  // namespace

void TouchIntervals::touch(Touch& session) {
  is_empty_ = false;
  if (is_confirmed(session.interval)) {
    session.kept_from = session.interval_began;
  } else if (may_be_confirmed(session.interval)) {
    return;  // before any later interval
  }
  session.interval = interval_;
  session.interval_began = began_;
}

// The answers to earlier questions do not come any more once a later one has come.
bool TouchIntervals::may_be_confirmed(std::uint64_t interval) const {
  return interval >= first_of_period_ && (confirmed_.empty() || interval > confirmed_.back().last);
}

std::int64_t TouchIntervals::open_session(Touch& session, std::int64_t timeout_ms) const {
  if (!is_leader_known_) session.kept_from = {};
  return session.kept_from == SteadyClock::time_point{} ? 0 : longest_ms(timeout_ms);
}

bool TouchIntervals::has_question() const {
  return questions_.size() < questions_max &&
         (!is_empty_ || (!is_leader_known_ && questions_.empty()));
}

void TouchIntervals::asked(std::uint64_t token, SteadyClock::time_point now) {
  questions_.push_back({token, interval_});
  begin_interval(now);
}

// Answers come in the order of their questions. A question before this one has lost its answer:
// then it is not known whether the leader was told of that interval.
void TouchIntervals::confirmed(std::uint64_t token) {
  const auto question = std::ranges::find(questions_, token, &Question::token);
  if (question == questions_.end()) return;
  is_leader_known_ = true;
  const std::uint64_t interval = question->interval;
  questions_.erase(questions_.begin(), std::next(question));
  if (!confirmed_.empty() && confirmed_.back().last + 1 == interval) {
    confirmed_.back().last = interval;
    return;
  }
  if (confirmed_.size() == ranges_max) confirmed_.pop_front();
  confirmed_.push_back({interval, interval});
}

void TouchIntervals::go_on(SteadyClock::time_point now) {
  if (is_empty_) began_ = now;
}

void TouchIntervals::begin_period(SteadyClock::time_point now) {
  questions_.clear();
  is_leader_known_ = false;
  begin_interval(now);
  first_of_period_ = interval_;
}

std::int64_t TouchIntervals::valid_ms(const Touch& session, std::int64_t timeout_ms,
                                      SteadyClock::time_point from) const {
  const SteadyClock::time_point kept_from =
      is_confirmed(session.interval) ? session.interval_began : session.kept_from;
  if (kept_from == SteadyClock::time_point{}) return 0;
  const auto passed = std::chrono::ceil<std::chrono::milliseconds>(from - kept_from).count();
  return std::max<std::int64_t>(longest_ms(timeout_ms) - std::max<std::int64_t>(passed, 0), 0);
}

void TouchIntervals::begin_interval(SteadyClock::time_point now) {
  interval_ += 1;
  began_ = now;
  is_empty_ = true;
}

bool TouchIntervals::is_confirmed(std::uint64_t interval) const {
  const auto range = std::ranges::lower_bound(confirmed_, interval, {}, &Range::last);
  return range != confirmed_.end() && range->first <= interval;
}

// A tick is not exact: one heartbeat is left out.
std::int64_t TouchIntervals::longest_ms(std::int64_t timeout_ms) const {
  const std::int64_t ms = timeout_ms - timeout_ms / clock_drift - heartbeat_.count();
  return std::max<std::int64_t>(ms, 0);
}

}  // namespace server
