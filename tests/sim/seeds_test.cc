#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/sim/run.h"

namespace {

std::vector<std::uint64_t> regressions() {
  std::ifstream in(ZABKEEPER_SOURCE_DIR "/tests/sim/regressions.txt");
  REQUIRE(in);
  std::vector<std::uint64_t> seeds;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != '#') seeds.push_back(std::stoull(line));
  }
  return seeds;
}

sim::Totals check_seed(std::uint64_t seed) {
  CAPTURE(seed);
  const sim::Outcome outcome = sim::run_seed(seed);
  if (outcome.violation) FAIL_CHECK(sim::report(seed));
  return outcome.totals;
}

// So rare that so few seeds may miss it.
bool is_rarest(sim::Rare rare) {
  return rare == sim::Rare::snapshot_abandoned || rare == sim::Rare::snapshot_lost ||
         rare == sim::Rare::unreadable || rare == sim::Rare::staged_installed ||
         rare == sim::Rare::stale_message;
}

}  // namespace

TEST_CASE("an ensemble under faults keeps every property of Zab, and heals") {
  std::array<std::uint64_t, sim::rare_count> rare{};
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    const sim::Totals totals = check_seed(seed);
    for (std::size_t i = 0; i < rare.size(); ++i) rare[i] += totals.rare[i];
  }
  // What is never tried is not tested.
  for (std::size_t i = 0; i < rare.size(); ++i) {
    CAPTURE(sim::name_of(sim::Rare(i)));
    if (!is_rarest(sim::Rare(i))) CHECK(rare[i] > 0);
  }
}

TEST_CASE("seeds that once failed pass") {
  for (const std::uint64_t seed : regressions()) check_seed(seed);
}

TEST_CASE("a seed is the same run every time") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    CHECK(sim::run_seed(seed).event_hash == sim::run_seed(seed).event_hash);
  }
}
