#include "server/peers/reported_reasons.h"

#include <chrono>
#include <cstddef>
#include <string>

#include <doctest/doctest.h>

namespace server {

using namespace std::chrono_literals;

TEST_CASE("a reason is reported once in ten minutes, and no more than 64 reasons are") {
  ReportedReasons reported;
  const ReportedReasons::TimePoint start{1h};
  CHECK(reported.is_new("a", start));
  CHECK_FALSE(reported.is_new("a", start + 9min));
  CHECK(reported.is_new("b", start + 9min));
  CHECK(reported.is_new("a", start + 10min));
  CHECK(reported.is_new("b", start + 10min));
  reported.forget();
  CHECK(reported.is_new("a", start + 11min));

  std::size_t lines = 0;
  for (int i = 0; i < 10'000; ++i) {
    lines += reported.is_new("reason " + std::to_string(i), start + 12min) ? 1U : 0U;
  }
  CHECK(lines == ReportedReasons::reasons_max - 1);
  CHECK(reported.is_new("reason 9999", start + 21min));
}

}  // namespace server
