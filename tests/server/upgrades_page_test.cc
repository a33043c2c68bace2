#include <cstdint>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "server/version.h"
#include "tests/support/sources.h"
#include "wire/forms.h"

namespace server {
namespace {

// The last row of the table of programs in docs/upgrades.md.
std::string newest_program_row() {
  std::ifstream page(support::source("docs/upgrades.md"));
  std::string line;
  while (std::getline(page, line) && !line.starts_with("| program | levels |")) {
  }
  std::string row;
  while (std::getline(page, line) && line.starts_with("|")) row = line;
  return row;
}

TEST_CASE("the page about upgrades has the levels of this program, and what each of them adds") {
  const std::string row = newest_program_row();
  CAPTURE(row);
  const std::string number = version;
  const std::string release = number.substr(0, number.rfind('.'));
  const wire::LevelRange& known = wire::known_levels;
  CHECK(row.starts_with("| " + release + " | " + std::to_string(known.least.value) + " to " +
                        std::to_string(known.greatest.value) + " | "));
  for (std::uint32_t level = 1; level <= known.greatest.value; ++level) {
    CAPTURE(level);
    CHECK(row.find(" " + std::to_string(level) + ": ") != std::string::npos);
  }
  const std::uint32_t next = known.greatest.value + 1;
  CHECK(row.find(" " + std::to_string(next) + ": ") == std::string::npos);
}

}  // namespace
}  // namespace server
