#include "tests/sim/options.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "tests/sim/random.h"

namespace sim {
namespace {

using zab::Member;
using zab::ServerId;

std::vector<Member> choose_members(Random& random) {
  struct Shape {
    std::uint32_t voters;
    std::uint64_t often;
  };
  std::uint32_t voters = 3;
  std::uint64_t dice = random.below(100);
  for (const Shape& shape : {Shape{1, 2}, Shape{2, 3}, Shape{3, 55}, Shape{4, 5}, Shape{5, 25},
                             Shape{7, 4}, Shape{9, 6}}) {
    voters = shape.voters;
    if (dice < shape.often) break;
    dice -= shape.often;
  }

  std::vector<Member> members;
  const auto add = [&](bool observer, std::uint32_t weight, std::uint32_t group) {
    const ServerId id{static_cast<std::uint32_t>(members.size()) + 1};
    members.push_back({id, observer, weight, group});
  };
  const bool weighted = random.one_in(16);
  for (std::uint32_t i = 0; i < voters; ++i) {
    const auto weight = weighted ? static_cast<std::uint32_t>(random.below(3)) : 1;
    add(false, i == 0 ? 1 : weight, voters == 9 ? i / 3 : 0);  // nine are three groups of three
  }
  if (random.one_in(3)) add(true, 1, 0);
  if (random.one_in(8)) add(true, 1, 0);
  return members;
}

// Removes all faults but that of one voter.
void only_a_minority(Options& options) {
  options.minority = true;
  options.group_commit = true;  // a slow disk catches up
  options.crash = options.crash_in_step = options.crash_all = options.pause = 0;
  options.partition = options.cut = options.slow_link = options.stall_link = options.stray = 0;
  options.slow_disk = options.stuck_disk = options.failing_sync = options.full_disk = 0;
  options.rot = options.wipe = options.foreign_disk = options.lose_quorum = 0;
  options.hand_over = 0;
  options.limits.counter_max = zab::Zxid::counter_max;
  options.link_delay_max = std::min(options.link_delay_max, tick / 2);
  options.disk_delay_max = std::min(options.disk_delay_max, tick / 2);
  options.limits.sync_limit = std::max(options.limits.sync_limit, 6U);
  options.submit = std::min(options.submit, tick);
  options.duration = 150 * tick;
}

}  // namespace

Options options_from(std::uint64_t seed) {
  Random random(seed);
  Options options;
  options.ensemble = zab::Ensemble(choose_members(random));
  options.limits.init_limit = static_cast<std::uint32_t>(random.between(8, 40));
  options.limits.sync_limit = static_cast<std::uint32_t>(random.between(3, 12));
  options.limits.settle_ticks = static_cast<std::uint32_t>(random.between(1, 4));
  options.limits.founding_ticks = static_cast<std::uint32_t>(random.between(2, 20));
  options.duration = random.between(30, 120) * tick;

  const auto some_delay = [&] { return random.one_in(3) ? tick / 20 : random.between(10, tick); };
  options.link_delay_max = some_delay();
  options.disk_delay_max = some_delay();
  if (random.one_in(6)) {  // slow enough for overlapping elections
    options.link_delay_max = random.between(tick / 2, 3 * tick);
    options.disk_delay_max = random.between(tick / 2, 6 * tick);
    options.limits.sync_limit += 6;
  }
  // Sometimes longer than an election.
  const Time self_delay = random.one_in(3) ? 6 * tick : tick / 2;
  options.self_delay_max = random.one_in(2) ? 0 : random.between(1, self_delay);
  options.group_commit = random.one_in(2);
  options.submit = random.between(tick / 10, 3 * tick);
  options.burst_max = random.between(1, 6);
  options.confirm_leadership = random.one_in(2) ? random.between(tick, 5 * tick) : 0;

  const auto some_fault = [&](std::uint64_t one_in, Time often, Time rarely) -> Every {
    return random.one_in(one_in) ? random.between(often, rarely) : 0;
  };
  options.crash = some_fault(2, 3 * tick, 30 * tick);
  options.crash_in_step = some_fault(2, 3 * tick, 30 * tick);
  options.crash_all = some_fault(5, 15 * tick, 60 * tick);
  options.pause = some_fault(3, 4 * tick, 30 * tick);
  options.partition = some_fault(3, 5 * tick, 40 * tick);
  options.cut = some_fault(2, 2 * tick, 20 * tick);
  options.slow_link = some_fault(3, 2 * tick, 20 * tick);
  options.slow_disk = some_fault(4, 5 * tick, 30 * tick);
  options.stall_link = some_fault(4, 3 * tick, 20 * tick);
  options.duplicate = random.one_in(3);
  options.early_reconnect = random.one_in(2);
  options.stray = some_fault(4, tick / 4, 4 * tick);
  options.stuck_disk = some_fault(6, 8 * tick, 40 * tick);
  options.failing_sync = some_fault(5, 4 * tick, 30 * tick);
  options.full_disk = some_fault(6, 10 * tick, 40 * tick);
  options.rot = some_fault(4, 6 * tick, 30 * tick);
  options.wipe = some_fault(5, 8 * tick, 40 * tick);
  options.foreign_disk = some_fault(12, 20 * tick, 60 * tick);
  options.lose_quorum = some_fault(12, 15 * tick, 60 * tick);
  options.outage_max = random.between(tick, 30 * tick);
  // If a former leader may be unaware of its successor, leadership is checked often.
  if (options.pause != 0 || options.partition != 0 || options.stall_link != 0) {
    options.confirm_leadership = random.between(tick / 2, 2 * tick);
  }

  options.payload_max = random.one_in(2) ? 0 : random.below(400);
  options.hand_over = some_fault(3, 2 * tick, 30 * tick);
  options.checkpoint = random.one_in(6) ? 0 : random.between(tick / 2, 8 * tick);
  if (!random.one_in(4)) options.limits.history_bytes = random.below(400);
  if (random.one_in(6)) options.limits.counter_max = random.between(20, 200);
  if (random.one_in(6)) options.limits.outstanding_max = random.between(1, 12);

  // L2. An ensemble of two voters tolerates no fault.
  if (random.one_in(20) && options.ensemble.members().size() > 2) only_a_minority(options);
  return options;
}

}  // namespace sim
