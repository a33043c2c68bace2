#include "tests/sim/service/service_options.h"

#include <algorithm>

#include "tests/sim/random.h"

namespace sim {
namespace {

// One seed in four has greedy users. Their draws are apart from the others, so the other seeds are
// as they were before there were greedy users.
constexpr std::uint64_t greedy_salt = 0x2e0;
// The same for seeds in which the leader holds many commands.
constexpr std::uint64_t held_salt = 0x6e1d;
// The same for seeds in which users follow parts of the tree, or are members of a group.
constexpr std::uint64_t tree_salt = 0x73ee;
constexpr std::uint64_t group_salt = 0x6709;
// And for the recipes.
constexpr std::uint64_t multi_salt = 0x30c4;
constexpr std::uint64_t barrier_salt = 0xba44;
constexpr std::uint64_t counter_salt = 0xc047;
constexpr std::uint64_t queue_salt = 0x93e0;
constexpr std::uint64_t double_barrier_salt = 0xdba44;

void add_greedy_users(Random& random, ServiceOptions& options) {
  SmallLimits& small = options.small;
  if (!random.one_in(4)) small.greedy.resize(random.between(1, 4), Greed::requests);
  if (small.greedy.empty() || random.one_in(3)) small.greedy.push_back(Greed::sessions);
  small.memory = random.between(400'000, 1'200'000);
  small.data_bytes = static_cast<std::uint32_t>(random.between(1'000, 4'000));
  small.frame_bytes = 2 * small.data_bytes + 4'000;
  small.reply_bytes = random.between(8'000, 20'000);
  small.multi_ops = static_cast<std::uint32_t>(random.between(8, 40));
  small.watches = static_cast<std::uint32_t>(random.between(60, 200));
  small.address_sessions = static_cast<std::uint32_t>(random.between(3, 6));
  small.sessions_per_second = static_cast<std::uint32_t>(random.between(1, 4));
  // Below level 2 the lists in the reply of a multi have no bound.
  options.programs = false;
  options.replace_program = options.change_level = 0;
  options.upgrade_automatically = true;
  options.outstanding_max = std::max<std::uint32_t>(options.outstanding_max, 8);
  // The others keep within their share, so that none of their requests may be refused.
  options.depth_max = std::min<std::size_t>(options.depth_max, 2);
  options.multi_locks = options.barriers = false;
  options.counters = options.queues = false;
  options.double_barrier = 0;
  if (options.state_bytes_max < std::numeric_limits<std::size_t>::max()) {
    options.state_bytes_max = random.between(150'000, 400'000);
  }
}

}  // namespace

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
  Random held(seed ^ held_salt);
  if (held.one_in(4)) {
    options.session_commands_max = held.between(1, 3);
    options.all_commands_max = held.between(1, 6);
  }
  options.trees = Random(seed ^ tree_salt).one_in(2);
  options.groups = Random(seed ^ group_salt).one_in(2);
  options.multi_locks = options.locks && Random(seed ^ multi_salt).one_in(2);
  options.barriers = options.locks && Random(seed ^ barrier_salt).one_in(3);
  options.counters = Random(seed ^ counter_salt).one_in(3);
  Random queue(seed ^ queue_salt);
  options.queues = queue.one_in(4);
  options.delays = queue.one_in(2);
  Random double_barrier(seed ^ double_barrier_salt);
  if (options.users > 1 && double_barrier.one_in(3)) {
    options.double_barrier = double_barrier.between(2, std::min<std::size_t>(options.users, 3));
  }
  Random greedy(seed ^ greedy_salt);
  if (greedy.one_in(4)) add_greedy_users(greedy, options);
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
