#include "server/logging/reported_reasons.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include <doctest/doctest.h>

namespace server {

using namespace std::chrono_literals;

constexpr ReportedReasons::TimePoint start{1h};

TEST_CASE("a reason of one source is reported once in ten minutes, then with a count") {
  ReportedReasons reported;
  CHECK(reported.note("10.0.0.1", "a", start) == 0);
  for (int i = 0; i < 50; ++i) CHECK(reported.note("10.0.0.1", "a", start + 9min) == std::nullopt);
  CHECK(reported.note("10.0.0.1", "b", start + 9min) == 0);
  CHECK(reported.note("10.0.0.2", "a", start + 9min) == 0);
  CHECK(reported.note("10.0.0.1", "a", start + 10min) == 50);
  CHECK(reported.note("10.0.0.1", "a", start + 11min) == std::nullopt);
  CHECK(reported.note("10.0.0.1", "a", start + 20min) == 1);
}

TEST_CASE("the reasons of a source are forgotten once a connection with it has succeeded") {
  ReportedReasons reported;
  CHECK(reported.note("10.0.0.1", "a", start) == 0);
  CHECK(reported.note("10.0.0.2", "a", start) == 0);
  reported.forget("10.0.0.1");
  CHECK(reported.note("10.0.0.1", "a", start) == 0);
  CHECK(reported.note("10.0.0.2", "a", start) == std::nullopt);
}

TEST_CASE("no more than 64 reasons are remembered, or reported in ten minutes") {
  ReportedReasons reported;
  CHECK(reported.note("10.0.0.1", "a", start) == 0);
  std::size_t lines = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto noted = reported.note("10.0.0.1", "reason " + std::to_string(i), start + 5min);
    lines += noted ? 1U : 0U;
  }
  CHECK(lines == ReportedReasons::reasons_max - 1);
  CHECK(reported.note("10.0.0.1", "reason 9999", start + 9min) == std::nullopt);
  CHECK(reported.note("10.0.0.1", "reason 9999", start + 10min) == 0);
}

TEST_CASE("a repeated reason is logged with its count") {
  CHECK(repeated(0).empty());
  CHECK(repeated(59) == " (59 times more since the last such line)");
}

}  // namespace server
