#pragma once

#include <cstdint>

#include "wire/records.h"

namespace session {

// What time it is, and the times of transactions: their stamps. It runs with a monotonic clock. The
// wall clocks of the servers only guide it, because a wall clock may be wrong, and may be set:
// - a small difference is made up for by running a tenth faster or slower;
// - a large one is taken over once it has lasted. Then the time jumps, forward or back.
// Stamps go back only if the time jumps back, or if the last leader's were far ahead.
class StampClock {
 public:
  using Micros = std::int64_t;
  // The reading of a monotonic clock, since any fixed moment.
  using Monotonic = Micros;

  static constexpr Micros small = 10'000'000;     // a greater difference is large
  static constexpr Micros patience = 10'000'000;  // so long a large difference must last

  StampClock(Monotonic now, wire::TimeMs time);

  // Guides the clock: the servers' wall clocks say this time. Call it a few times in `patience`, or
  // more often. Returns by how much the time, or what is left of the last leader's, jumps; 0 if it
  // does not.
  wire::TimeMs follow(Monotonic now, wire::TimeMs guide);
  // The same, but a large difference is taken over at once: what guided it before is worth nothing.
  wire::TimeMs adopt(Monotonic now, wire::TimeMs guide);
  // What time it is.
  [[nodiscard]] wire::TimeMs time(Monotonic now) const;

  // This server leads. `last`: the stamp of the last transaction. If that is ahead of the time,
  // stamps run on from it, a tenth slower; if it is far ahead, only until that has lasted.
  void begin_stamps(Monotonic now, wire::TimeMs last);
  // The stamp of a transaction that is planned now. Not before the last one, unless there was a
  // jump.
  wire::TimeMs stamp(Monotonic now);

 private:
  struct Large {
    Micros difference = 0;
    Monotonic since = 0;
  };

  [[nodiscard]] Micros exact_time(Monotonic now) const;
  [[nodiscard]] Micros ahead(Monotonic now) const;
  wire::TimeMs jump(Monotonic now, Micros difference);
  wire::TimeMs drop_large_lead(Monotonic now);

  Micros base_;  // the time at since_
  Monotonic since_;
  std::int64_t rate_ = 0;  // by how many millionths it runs faster
  bool differs_ = false;
  Large large_{};     // if it differs: the difference to the guide, and since when
  Micros ahead_ = 0;  // by so much the last leader's stamps were ahead of the time at ahead_since_
  Monotonic ahead_since_ = 0;
  Micros last_;  // the last stamp
};

}  // namespace session
