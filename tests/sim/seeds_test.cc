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

void check_seed(std::uint64_t seed) {
  CAPTURE(seed);
  const sim::Outcome outcome = sim::run_seed(seed);
  if (outcome.violation) FAIL_CHECK(sim::report(seed));
}

}  // namespace

TEST_CASE("an ensemble under faults keeps every property of Zab, and heals") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) check_seed(seed);
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
