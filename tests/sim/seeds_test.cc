#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/sim/run.h"
#include "tests/support/sources.h"

namespace {

std::vector<std::uint64_t> regressions(const std::string& file) {
  std::ifstream in(support::source("tests/sim") / file);
  REQUIRE(in);
  std::vector<std::uint64_t> seeds;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != '#') seeds.push_back(std::stoull(line));
  }
  return seeds;
}

sim::Totals check_seed(std::uint64_t seed, sim::Mode mode = sim::Mode::protocol) {
  CAPTURE(seed);
  const sim::Outcome outcome = sim::run_seed(seed, {}, mode);
  if (outcome.violation) FAIL_CHECK(sim::report(seed, mode));
  return outcome.totals;
}

// Events that are so rare that they may not happen in these few seeds.
bool is_rarest(sim::Rare rare) {
  return rare == sim::Rare::snapshot_abandoned || rare == sim::Rare::snapshot_lost ||
         rare == sim::Rare::unreadable || rare == sim::Rare::staged_installed ||
         rare == sim::Rare::stale_message || rare == sim::Rare::clients_sent_away ||
         rare == sim::Rare::older_program_refused || rare == sim::Rare::program_refused ||
         rare == sim::Rare::does_not_apply || rare == sim::Rare::snapshot_not_known ||
         rare == sim::Rare::message_not_read || rare == sim::Rare::request_refused ||
         rare == sim::Rare::reply_refused || rare == sim::Rare::watch_refused ||
         rare == sim::Rare::done_refused;
}

// The number of seeds that one processor runs in 15 seconds.
constexpr std::uint64_t service_part = 250;
void check_service(std::uint64_t part) {
  std::array<std::uint64_t, sim::rare_count> rare{};
  for (std::uint64_t i = 0; i < service_part; ++i) {
    const sim::Totals totals = check_seed(part * service_part + i, sim::Mode::service);
    for (std::size_t k = 0; k < rare.size(); ++k) rare[k] += totals.rare[k];
  }
  for (std::size_t i = sim::protocol_rare_count; i < rare.size(); ++i) {
    CAPTURE(sim::name_of(sim::Rare(i)));
    if (!is_rarest(sim::Rare(i))) CHECK(rare[i] > 0);
  }
}

}  // namespace

TEST_CASE("an ensemble keeps all properties of Zab under faults, and recovers afterwards") {
  std::array<std::uint64_t, sim::protocol_rare_count> rare{};
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    const sim::Totals totals = check_seed(seed);
    for (std::size_t i = 0; i < rare.size(); ++i) rare[i] += totals.rare[i];
  }
  // An event that never happens is not tested.
  for (std::size_t i = 0; i < rare.size(); ++i) {
    CAPTURE(sim::name_of(sim::Rare(i)));
    if (!is_rarest(sim::Rare(i))) CHECK(rare[i] > 0);
  }
}

TEST_CASE("seeds that failed in the past pass") {
  for (const std::uint64_t seed : regressions("regressions.txt")) check_seed(seed);
  for (const std::uint64_t seed : regressions("service_regressions.txt")) {
    check_seed(seed, sim::Mode::service);
  }
}

TEST_CASE("a seed gives the same run every time") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    CHECK(sim::run_seed(seed).event_hash == sim::run_seed(seed).event_hash);
    const auto service = [&] { return sim::run_seed(seed, {}, sim::Mode::service).event_hash; };
    CHECK(service() == service());
  }
}

TEST_CASE("the whole service keeps its promises to clients under faults, first part") {
  check_service(0);
}
TEST_CASE("the whole service keeps its promises to clients under faults, second part") {
  check_service(1);
}
TEST_CASE("the whole service keeps its promises to clients under faults, third part") {
  check_service(2);
}
TEST_CASE("the whole service keeps its promises to clients under faults, fourth part") {
  check_service(3);
}
