#include "server/pipeline/ensemble_clock.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include <spdlog/spdlog.h>

namespace server {
namespace {

using session::StampClock;
using std::chrono::milliseconds;

constexpr wire::TimeMs shown_max = wire::TimeMs{1} << 50;

bool contains(const std::vector<std::uint32_t>& servers, std::uint32_t server) {
  return std::ranges::find(servers, server) != servers.end();
}

// "3600 s ahead of", "3600 s behind".
std::string describe(wire::TimeMs offset) {
  const auto seconds = std::to_string(std::abs(offset) / 1000) + " s ";
  return seconds + (offset > 0 ? "ahead of" : "behind");
}

bool is_large(wire::TimeMs offset) { return std::abs(offset) > StampClock::small / 1000; }

}  // namespace

EnsembleClock::EnsembleClock(const PipelineOptions& options, Environment& environment)
    : self_(options.id),
      servers_(options.servers),
      voters_(options.voters),
      fresh_(std::max<milliseconds>(std::chrono::seconds(5), 3 * options.heartbeat)),
      environment_(environment),
      clock_(now(), environment.wall_clock()) {
  guide(environment.wall_clock());
}

void EnsembleClock::linked(zab::ServerId server) { tell(server.value, environment_.wall_clock()); }

// Replies at once to a server whose clock was not known yet, because a leader may begin soon.
void EnsembleClock::on(zab::ServerId from, const ClockReading& reading) {
  if (!contains(voters_, from.value)) return;
  const Other other{std::clamp(reading.shown, -shown_max, shown_max), now()};
  const bool is_new = others_.insert_or_assign(from.value, other).second;
  if (is_settled_ && !is_new) return;
  const wire::TimeMs own = environment_.wall_clock();
  if (is_new) tell(from.value, own);
  guide(own);
}

void EnsembleClock::tick(wire::TimeMs last_stamp) {
  const wire::TimeMs own = environment_.wall_clock();
  for (const std::uint32_t server : servers_) tell(server, own);
  std::erase_if(others_, [&](const auto& other) {
    return milliseconds((now() - other.second.at) / 1000) > fresh_;
  });
  guide(own);
  report(own, last_stamp);
}

void EnsembleClock::tell(std::uint32_t server, wire::TimeMs own) const {
  if (server == self_ || !contains(voters_, self_)) return;
  environment_.send(zab::ServerId{server}, ClockReading{own});
}

// The time on which the first quorum agrees is taken over at once: before, it may be that of one
// clock.
void EnsembleClock::guide(wire::TimeMs own) {
  const std::optional<Guide> found = quorum(own);
  const bool is_first = found && found->is_agreed && !is_settled_;
  is_settled_ = found && (found->is_agreed || is_settled_);
  const wire::TimeMs time = found ? found->median : own;
  const wire::TimeMs jump = is_first ? clock_.adopt(now(), time) : clock_.follow(now(), time);
  if (jump == 0) return;
  jumps_ += 1;
  spdlog::warn("the time of transactions jumps {} by {} s, because {}",
               jump > 0 ? "forward" : "back", std::abs(jump) / 1000,
               found ? "a quorum's clocks say so" : "this machine's clock says so");
}

// Of an even number of clocks, all times between the two in the middle are medians: the present
// time is kept if it is one of them.
std::optional<EnsembleClock::Guide> EnsembleClock::quorum(wire::TimeMs own) const {
  std::vector<wire::TimeMs> shown;
  if (contains(voters_, self_)) shown.push_back(own);
  for (const auto& [server, other] : others_) {
    shown.push_back(other.shown + (now() - other.at) / 1000);
  }
  const std::size_t half = voters_.size() / 2;
  if (shown.size() <= half) return std::nullopt;
  std::ranges::sort(shown);
  const wire::TimeMs low = shown[(shown.size() - 1) / 2];
  const wire::TimeMs high = shown[shown.size() / 2];
  Guide guide{std::clamp(time(), low, high)};
  const auto agrees = [&](wire::TimeMs each) { return !is_large(each - guide.median); };
  guide.is_agreed = static_cast<std::size_t>(std::ranges::count_if(shown, agrees)) > half;
  return guide;
}

// Warns once, and again only after the clock was right.
void EnsembleClock::report(wire::TimeMs own, wire::TimeMs last_stamp) {
  offset_ = own - time();
  const wire::TimeMs to_last = std::min<wire::TimeMs>(own - last_stamp, 0);
  const bool was = std::exchange(disagrees_, is_large(offset_) || is_large(to_last));
  if (was || !disagrees_) return;
  const bool is_own = is_large(offset_);
  spdlog::warn(
      "this machine's clock is {} {}: set the clock, with NTP if possible. Nothing else is wrong; "
      "ctime and mtime follow what a quorum's clocks say",
      describe(is_own ? offset_ : to_last),
      is_own ? "those of the ensemble" : "the time of the last transaction");
}

void EnsembleClock::read(Readings& readings) const {
  readings.clock_offset_ms = offset_;
  readings.clock_jumps = jumps_;
}

}  // namespace server
