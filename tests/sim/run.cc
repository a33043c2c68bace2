#include "tests/sim/run.h"

#include <deque>

#include "tests/sim/service/service_options.h"
#include "tests/sim/service/user.h"
#include "tests/sim/service/world.h"

namespace sim {
namespace {

// An election takes a few ticks; a server that waits for a wrong leader, a few tens.
constexpr std::uint64_t healing_ticks = 200;
// Includes the time until abandoned sessions expire.
constexpr std::uint64_t service_healing_ticks = 400;
constexpr std::size_t lines_reported = 50;

template <typename Run>
Outcome outcome_of(Cluster& cluster, const Run& run) {
  Outcome outcome;
  try {
    run();
  } catch (const Violation& violation) {
    outcome.violation = violation.what();
  }
  outcome.totals = cluster.totals();
  outcome.event_hash = cluster.event_hash();
  return outcome;
}

}  // namespace

Outcome run_seed(std::uint64_t seed, const Trace& trace, Mode mode) {
  if (mode == Mode::protocol) {
    Cluster cluster(seed, options_from(seed), trace);
    return outcome_of(cluster, [&] {
      cluster.run();
      cluster.heal(healing_ticks);
    });
  }
  Cluster* made = nullptr;
  World world(seed, service_options_from(seed), made);
  Cluster cluster(seed, with_service(options_from(seed)), trace, &world);
  made = &cluster;
  return outcome_of(cluster, [&] {
    cluster.run();
    cluster.heal(service_healing_ticks);
    world.finish();
  });
}

std::string command(std::uint64_t seed, Mode mode) {
  return std::string("tools/dev sim ") + (mode == Mode::service ? "--service " : "") + "--seed " +
         std::to_string(seed);
}

std::string report(std::uint64_t seed, Mode mode) {
  std::deque<std::string> last;
  const auto keep = [&](const std::string& line) {
    last.push_back(line);
    if (last.size() > lines_reported) last.pop_front();
  };
  const Outcome outcome = run_seed(seed, keep, mode);
  std::string text = command(seed, mode) + '\n';
  for (const std::string& line : last) text += line + '\n';
  return text + outcome.violation.value_or("no violation") + '\n';
}

}  // namespace sim
