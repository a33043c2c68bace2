#include "tests/sim/run.h"

#include <deque>

namespace sim {
namespace {

// Generous: an election takes a few ticks; a server that waits for the wrong leader, a few tens.
constexpr std::uint64_t healing_ticks = 200;
constexpr std::size_t lines_reported = 50;

}  // namespace

Outcome run_seed(std::uint64_t seed, const Trace& trace) {
  Cluster cluster(seed, options_from(seed), trace);
  Outcome outcome;
  try {
    cluster.run();
    cluster.heal(healing_ticks);
  } catch (const Violation& violation) {
    outcome.violation = violation.what();
  }
  outcome.totals = cluster.totals();
  outcome.event_hash = cluster.event_hash();
  return outcome;
}

std::string report(std::uint64_t seed) {
  std::deque<std::string> last;
  const Outcome outcome = run_seed(seed, [&](const std::string& line) {
    last.push_back(line);
    if (last.size() > lines_reported) last.pop_front();
  });
  std::string text = "tools/dev sim --seed " + std::to_string(seed) + '\n';
  for (const std::string& line : last) text += line + '\n';
  return text + outcome.violation.value_or("no violation") + '\n';
}

}  // namespace sim
