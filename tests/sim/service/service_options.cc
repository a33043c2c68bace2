#include "tests/sim/service/service_options.h"

#include "tests/sim/random.h"

namespace sim {

ServiceOptions service_options_from(std::uint64_t seed) {
  Random random(seed ^ 0x0b5e);
  ServiceOptions options;
  options.users = random.between(1, 5);
  options.think_max = random.between(tick / 5, 3 * tick);
  options.client_delay_max = random.one_in(3) ? tick / 20 : random.between(10, tick);
  options.depth_max = random.between(1, 8);
  options.cut = random.one_in(2) ? random.between(2 * tick, 20 * tick) : 0;
  options.sleep = random.one_in(2) ? random.between(5 * tick, 40 * tick) : 0;
  options.clock_jump = random.one_in(3) ? random.between(5 * tick, 40 * tick) : 0;
  options.outstanding_max =
      random.one_in(3) ? 2 + static_cast<std::uint32_t>(random.below(6)) : 1000;
  if (random.one_in(3)) options.slice_bytes = random.between(100, 500);
  options.locks = random.one_in(2);
  options.upgrade_automatically = random.one_in(2);
  options.programs = random.one_in(2);
  const bool changes_often = random.one_in(2);
  if (options.programs) {
    options.replace_program = random.between(5 * tick, 40 * tick);
    options.upgrade_automatically = random.one_in(4);
  }
  if (options.programs || random.one_in(2)) {
    options.change_level = random.between(tick, (changes_often ? 6 : 60) * tick);
  }
  if (random.one_in(3)) options.events_max = random.between(1, 4);
  if (random.one_in(4)) options.state_bytes_max = random.between(5'000, 25'000);
  options.container_idle_ticks = static_cast<std::int64_t>(random.below(20));
  if (random.one_in(2))
    options.container_unused_ticks = static_cast<std::int64_t>(random.between(1, 20));
  return options;
}

Options with_service(Options options) {
  options.submit = 0;
  options.confirm_leadership = 0;
  options.minority = false;
  options.limits.outstanding_max = zab::PeerLimits{}.outstanding_max;
  return options;
}

}  // namespace sim
