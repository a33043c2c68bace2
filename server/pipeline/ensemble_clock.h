#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "server/metrics/readings.h"
#include "server/pipeline/environment.h"
#include "server/pipeline/options.h"
#include "session/stamp_clock.h"

namespace server {

// What time it is for this server, whatever its own wall clock shows. Voters tell all servers what
// their wall clocks show. Each server is guided by the median of a quorum's clocks; while it does
// not know that many, by its own. Warns if its own clock disagrees.
class EnsembleClock {
 public:
  // `environment` outlives this.
  EnsembleClock(const PipelineOptions& options, Environment& environment);

  // One heartbeat interval has passed. `last_stamp`: the time of the last transaction applied.
  void tick(wire::TimeMs last_stamp);
  // A link to another server is up. The server hears of this clock before it hears of anything
  // else.
  void linked(zab::ServerId server);
  void on(zab::ServerId from, const ClockReading& reading);

  // What time it is.
  [[nodiscard]] wire::TimeMs time() const { return clock_.time(monotonic(environment_.now())); }
  // Whether a quorum of clocks agreed on the time, since this server knows a quorum's clocks.
  [[nodiscard]] bool is_settled() const { return is_settled_; }

  // This server leads. `last`: the time of the last transaction.
  void begin_stamps(wire::TimeMs last) { clock_.begin_stamps(now(), last); }
  // The time of a transaction that is planned at `at`: see session::StampClock.
  [[nodiscard]] wire::TimeMs stamp(SteadyClock::time_point at) {
    return clock_.stamp(monotonic(at));
  }

  // Of the own wall clock to the time, in the last tick.
  [[nodiscard]] wire::TimeMs offset() const { return offset_; }
  void read(Readings& readings) const;

 private:
  using Monotonic = session::StampClock::Monotonic;
  struct Other {
    wire::TimeMs shown = 0;
    Monotonic at = 0;
  };

  [[nodiscard]] static Monotonic monotonic(SteadyClock::time_point at) {
    return std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count();
  }
  [[nodiscard]] Monotonic now() const { return monotonic(environment_.now()); }
  // What the clocks of a quorum show.
  struct Guide {
    wire::TimeMs median = 0;
    bool is_agreed = false;  // a quorum of the clocks agree
  };

  void tell(std::uint32_t server, wire::TimeMs own) const;
  void guide(wire::TimeMs own);
  // None if the clocks of a quorum are not known.
  [[nodiscard]] std::optional<Guide> quorum(wire::TimeMs own) const;
  void report(wire::TimeMs own, wire::TimeMs last_stamp);

  std::uint32_t self_;
  std::vector<std::uint32_t> servers_;
  std::vector<std::uint32_t> voters_;
  std::chrono::milliseconds fresh_;  // a reading is used for so long
  Environment& environment_;

  session::StampClock clock_;
  std::map<std::uint32_t, Other> others_;  // by voter
  bool is_settled_ = false;
  bool disagrees_ = false;
  wire::TimeMs offset_ = 0;  // of the own wall clock to the time, in the last tick
  std::uint64_t jumps_ = 0;
};

}  // namespace server
